/** What training means for the desktop: the computer stays awake, and quitting asks first. */
import { powerSaveBlocker } from 'electron';
import type { BrowserWindow } from 'electron';
import { confirmed } from './question.ts';

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
export const confirmQuit = (window: BrowserWindow | undefined): Promise<boolean> =>
  confirmed(window, {
    message: 'A run is training.',
    detail: 'If you quit, it saves a checkpoint and goes on from there when Sweeplab is started again.',
    no: 'Keep training',
    yes: 'Stop and quit',
  });
