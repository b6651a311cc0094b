/** A question with two answers, to the person at the machine. */
import { dialog } from 'electron';
import type { BrowserWindow } from 'electron';

export interface Question {
  /** `error` where something has ended. */
  readonly type?: 'question' | 'error';
  readonly message: string;
  readonly detail: string;
  readonly no: string;
  readonly yes: string;
}

/** @returns whether it was answered with yes; a key that was meant for something else, or Escape, is a no */
export async function confirmed(
  window: BrowserWindow | undefined,
  { type = 'question', message, detail, no, yes }: Question,
): Promise<boolean> {
  const options = {
    type,
    message,
    detail,
    buttons: [no, yes],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
  const { response } = await (window === undefined
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return response === 1;
}
