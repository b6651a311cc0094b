/** The module `electron`, as far as main/app uses it: what is not here does not compile against it (test/app/standin.test.ts). */
import { registerScheme } from './addresses.ts';
import { app as theApp } from './app.ts';
import { Session } from './session.ts';

export { app } from './app.ts';
export { dialog, nativeTheme, Notification, powerSaveBlocker, screen, shell } from './desk.ts';
export { ipcMain } from './ipc.ts';
export { Menu } from './menu.ts';
export { MessageChannelMain } from './ports.ts';
export { BrowserWindow } from './window.ts';

export const protocol = {
  registerSchemesAsPrivileged(schemes: readonly Electron.CustomScheme[]): void {
    if (theApp.isReady()) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    for (const scheme of schemes) registerScheme(scheme);
  },
};

export const session = { defaultSession: new Session() };

export type { IpcMainEvent, IpcMainInvokeEvent } from './ipc.ts';
export type { Session } from './session.ts';
export type { MessagePortMain } from './ports.ts';
export type { WebContents } from './contents.ts';
export type FileFilter = Electron.FileFilter;
export type MenuItemConstructorOptions = Electron.MenuItemConstructorOptions;
