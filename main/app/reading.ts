/** Asks whether pages may have a file or folder read: only the person at the machine can open more than the data folder. */
import type { BrowserWindow } from 'electron';
import { withoutCommands } from '../../preload/shared/plainText.ts';
import { confirmed } from './question.ts';

export const confirmReading = (window: BrowserWindow | undefined, path: string): Promise<boolean> =>
  confirmed(window, {
    message: 'Let Sweeplab read this text?',
    detail: `${withoutCommands(path)}\n\nThe interface asks for it, to look at it or to train on it. This holds until Sweeplab ends.`,
    no: 'Do not read',
    yes: 'Read',
  });
