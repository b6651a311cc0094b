/** What pages may ask the main process: four things, from the top frame of our own pages only. */
import { BrowserWindow, ipcMain, MessageChannelMain } from 'electron';
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { CHANNELS } from '../../preload/contract/bridge.ts';
import type { Port } from '../../preload/contract/port.ts';
import { withoutCommands } from '../../preload/shared/plainText.ts';
import type { ExportGuard } from './exportGuard.ts';
import { chooseFile, saveFile, showFile } from './files.ts';
import { portOfMain } from './port.ts';
import { maySend } from './senderPolicy.ts';

export interface ChannelOptions {
  /** Ids of the contents of the app's windows. */
  readonly windows: ReadonlySet<number>;
  readonly exports: ExportGuard;
  connect(port: Port): void;
}

type Event = IpcMainEvent | IpcMainInvokeEvent;

export function listenToPages({ windows, exports, connect }: ChannelOptions): void {
  const allowed = (event: Event): boolean => {
    const may = maySend(event, windows);
    if (!may)
      console.error(withoutCommands(`A message of ${event.senderFrame?.url ?? 'a frame that is gone'} was refused.`));
    return may;
  };
  const on = (channel: string, action: (event: IpcMainEvent, ...values: unknown[]) => void): void => {
    ipcMain.on(channel, (event, ...values: unknown[]) => {
      if (allowed(event)) action(event, ...values);
    });
  };
  const handle = (channel: string, answer: (window: BrowserWindow, ...values: unknown[]) => unknown): void => {
    ipcMain.handle(channel, (event, ...values: unknown[]) => {
      const window = allowed(event) ? BrowserWindow.fromWebContents(event.sender) : null;
      if (window === null) throw new Error('This page may not ask for that.');
      return answer(window, ...values);
    });
  };

  on(CHANNELS.connect, (event, token) => {
    if (typeof token !== 'string' || token.length > 100) return;
    const { port1, port2 } = new MessageChannelMain();
    connect(portOfMain(port1));
    event.senderFrame?.postMessage(CHANNELS.port, token, [port2]);
  });
  handle(CHANNELS.saveFile, async (window, choice, content) => {
    const answer = await saveFile(window, choice, content);
    if (answer !== null && 'path' in answer) exports.allow(answer.path, false);
    return answer;
  });
  handle(CHANNELS.chooseFile, async (window, choice) => {
    const path = await chooseFile(window, choice);
    if (path !== null) exports.allow(path, true);
    return path;
  });
  handle(CHANNELS.showFile, async (_window, path) => exports.mayShow(path) && (await showFile(path)));
}
