/** What pages may ask the main process: five things, from the top frame of our own pages only. */
import { BrowserWindow, ipcMain, MessageChannelMain } from 'electron';
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { CHANNELS } from '../../preload/contract/bridge.ts';
import type { Port } from '../../preload/contract/port.ts';
import type { ExportGuard } from './exportGuard.ts';
import { pickFile, saveFile } from './files.ts';
import { portOfMain } from './port.ts';
import { maySend } from './senderPolicy.ts';
import { openExternally } from './window.ts';

export interface ChannelOptions {
  /** Ids of the contents of the app's windows. */
  readonly windows: ReadonlySet<number>;
  readonly exports: ExportGuard;
  connect(port: Port): void;
  notify(title: string, body: string, path: string | undefined): void;
}

type Event = IpcMainEvent | IpcMainInvokeEvent;

export function listenToPages({ windows, exports, connect, notify }: ChannelOptions): void {
  const allowed = (event: Event): boolean => {
    const may = maySend(event, windows);
    if (!may) console.error(`A message of ${event.senderFrame?.url ?? 'a frame that is gone'} was refused.`);
    return may;
  };
  const on = (channel: string, action: (event: IpcMainEvent, ...values: unknown[]) => void): void => {
    ipcMain.on(channel, (event, ...values: unknown[]) => {
      if (allowed(event)) action(event, ...values);
    });
  };
  const handle = (channel: string, answer: (window: BrowserWindow, value: unknown) => unknown): void => {
    ipcMain.handle(channel, (event, value: unknown) => {
      const window = allowed(event) ? BrowserWindow.fromWebContents(event.sender) : null;
      if (window === null) throw new Error('This page may not ask for that.');
      return answer(window, value);
    });
  };

  on(CHANNELS.connect, (event, token) => {
    if (typeof token !== 'string' || token.length > 100) return;
    const { port1, port2 } = new MessageChannelMain();
    connect(portOfMain(port1));
    event.senderFrame?.postMessage(CHANNELS.port, token, [port2]);
  });
  on(CHANNELS.notify, (_event, title, body, path) => {
    if (typeof title !== 'string' || typeof body !== 'string') return;
    notify(title.slice(0, 200), body.slice(0, 1000), isViewPath(path) ? path : undefined);
  });
  handle(CHANNELS.openExternal, (_window, address) => openExternally(address));
  handle(CHANNELS.pickFile, (window, choice) => pickFile(window, choice));
  handle(CHANNELS.saveFile, async (window, choice) => {
    const path = await saveFile(window, choice);
    if (path !== null) exports.allow(path);
    return path;
  });
}

/** Of a view of the interface: `/run/ID`. */
export const isViewPath = (path: unknown): path is string =>
  typeof path === 'string' && path.length < 500 && /^\/(?!\/)[\w/?=&.,%:~-]*$/u.test(path);
