/** What the parts of the stand-in share: the Chromium that they speak with, from the moment that there is one. */
import { Chromium } from './chromium.ts';

let started: () => void = () => {};

export const state = {
  /** Once `started`. */
  chromium: undefined as unknown as Chromium,
  started: new Promise<void>((resolve) => (started = resolve)),
  /** Windows that this process has asked for and that are not there yet. */
  creating: 0,
  /** Chosen by the app; undefined follows the system. */
  colorScheme: undefined as 'light' | 'dark' | undefined,
  /** Sets what pages of this origin may do, before the first of them is shown. */
  permissionsFor: (_shown: string): Promise<void> => Promise.resolve(),
  bypassesPolicy: (): boolean => false,
  /** Folder of the app's own data. */
  userData: '',
};

export function startChromium(program: string, profile: string): Chromium {
  state.chromium = new Chromium(program, profile);
  started();
  return state.chromium;
}
