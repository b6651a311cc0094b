/** What the app asks of the system around it. Nobody sits here: questions wait until a test answers them. */
import { SCREEN } from './chromium.ts';
import { allContents } from './contents.ts';
import { Emitter } from './emitter.ts';
import { state } from './state.ts';

/** Dialogs stay open: tests put their own answers in the place of these. */
const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** Values of a call whose first one may be a window. */
const optionsOf = <T>(values: readonly unknown[]): T => values.at(-1) as T;

export const dialog = {
  showMessageBox: (...values: unknown[]): Promise<Electron.MessageBoxReturnValue> => {
    const { message } = optionsOf<Electron.MessageBoxOptions>(values);
    console.warn(`A dialog waits: ${message}`);
    return never();
  },
  showSaveDialog: (...values: unknown[]): Promise<Electron.SaveDialogReturnValue> => {
    const { defaultPath } = optionsOf<Electron.SaveDialogOptions>(values);
    console.warn(`A dialog waits: save as ${defaultPath}`);
    return never();
  },
  showErrorBox: (title: string, content: string): void => console.error(`${title}: ${content}`),
} satisfies Pick<Electron.Dialog, 'showMessageBox' | 'showSaveDialog' | 'showErrorBox'>;

export const shell = {
  openExternal: async (address: string): Promise<void> => console.warn(`The system would open ${address}`),
  showItemInFolder: (path: string): void => console.warn(`The system would show ${path}`),
} satisfies Pick<Electron.Shell, 'openExternal' | 'showItemInFolder'>;

const displays = [{ workArea: SCREEN, bounds: SCREEN }] as unknown as Electron.Display[];
export const screen = {
  getAllDisplays: () => displays,
} satisfies Pick<Electron.Screen, 'getAllDisplays'>;

let theme: Electron.NativeTheme['themeSource'] = 'system';
export const nativeTheme = {
  /** The system is light here. */
  get shouldUseDarkColors() {
    return theme === 'dark';
  },
  get themeSource() {
    return theme;
  },
  set themeSource(source) {
    theme = source;
    state.colorScheme = source === 'system' ? undefined : source;
    for (const contents of allContents()) contents.colorScheme(state.colorScheme ?? '');
  },
} satisfies Pick<Electron.NativeTheme, 'shouldUseDarkColors' | 'themeSource'>;

const blockers = new Set<number>();
let nextBlocker = 0;
export const powerSaveBlocker = {
  start(_type: 'prevent-app-suspension' | 'prevent-display-sleep'): number {
    blockers.add(nextBlocker);
    return nextBlocker++;
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id),
} satisfies Pick<Electron.PowerSaveBlocker, 'start' | 'stop' | 'isStarted'>;

interface NotificationEvents {
  click: [];
}

export class Notification
  extends Emitter<NotificationEvents>
  implements Pick<Electron.Notification, 'title' | 'body' | 'show'>
{
  static isSupported(): boolean {
    return true;
  }

  readonly title: string;
  readonly body: string;

  constructor({ title = '', body = '' }: Electron.NotificationConstructorOptions = {}) {
    super();
    [this.title, this.body] = [title, body];
  }

  show(): void {
    console.warn(`The system would notify: ${this.title}: ${this.body}`);
  }
}
