/** Asks whether a program may be started: a page alone starts none. */
import type { BrowserWindow } from 'electron';
import { withoutCommands } from '../../preload/shared/plainText.ts';
import { confirmed } from './question.ts';

export const confirmStarting = (window: BrowserWindow | undefined, words: string): Promise<boolean> =>
  confirmed(window, {
    message: 'Start this program?',
    detail: `${withoutCommands(words)}\n\nIt can do on this computer whatever you can.`,
    no: 'Do not start',
    yes: 'Start',
  });
