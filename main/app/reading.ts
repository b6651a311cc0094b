/** Asks whether pages may have a file or folder read: only the person at the machine can open more than the data folder. */
import { dialog } from 'electron';
import type { BrowserWindow, MessageBoxOptions } from 'electron';
import { withoutCommands } from '../../preload/shared/plainText.ts';

export async function confirmReading(window: BrowserWindow | undefined, path: string): Promise<boolean> {
  const question: MessageBoxOptions = {
    type: 'question',
    message: 'Let Sweeplab read this text?',
    detail: `${withoutCommands(path)}\n\nThe interface asks for it, to look at it or to train on it. This holds until Sweeplab ends.`,
    buttons: ['Do not read', 'Read'],
    // Nothing is opened by a key that was meant for something else.
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
  const { response } = await (window === undefined
    ? dialog.showMessageBox(question)
    : dialog.showMessageBox(window, question));
  return response === 1;
}
