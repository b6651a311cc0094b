/** What training means for the desktop: the computer stays awake, and quitting asks first. */
import { dialog, powerSaveBlocker } from 'electron';
import type { BrowserWindow } from 'electron';

/** Keeps the computer from sleeping while runs train. The screen may go dark. */
export class Wakefulness {
  #blocker: number | undefined;

  set(busy: boolean): void {
    if (busy && this.#blocker === undefined) this.#blocker = powerSaveBlocker.start('prevent-app-suspension');
    else if (!busy && this.#blocker !== undefined) {
      powerSaveBlocker.stop(this.#blocker);
      this.#blocker = undefined;
    }
  }
}

/** True to quit. Runs in progress save a checkpoint then, and go on from it with the next start. */
export async function confirmQuit(window: BrowserWindow | undefined): Promise<boolean> {
  const question = {
    type: 'question' as const,
    message: 'A run is training.',
    detail: 'If you quit, it saves a checkpoint and goes on from there when Sweeplab is started again.',
    buttons: ['Keep training', 'Stop and quit'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
  const { response } = await (window === undefined
    ? dialog.showMessageBox(question)
    : dialog.showMessageBox(window, question));
  return response === 1;
}
