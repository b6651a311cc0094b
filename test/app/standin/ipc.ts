/** Messages of preload scripts, and the app's answers to them. */
import { hearPages } from './contents.ts';
import type { Said, WebContents, WebFrameMain } from './contents.ts';
import type { MessagePortMain } from './ports.ts';
import { makeWire } from './wire.ts';

const { pack, unpack } = makeWire();

export interface IpcMainInvokeEvent {
  readonly sender: WebContents;
  readonly senderFrame: WebFrameMain | null;
}
export interface IpcMainEvent extends IpcMainInvokeEvent {
  readonly ports: readonly MessagePortMain[];
}
type Listener = (event: IpcMainEvent, ...values: unknown[]) => void;
type Handler = (event: IpcMainInvokeEvent, ...values: unknown[]) => unknown;

const listeners = new Map<string, Listener[]>();
const handlers = new Map<string, Handler>();

export const ipcMain = {
  on(channel: string, listener: Listener): void {
    listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
  },
  handle(channel: string, handler: Handler): void {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
  },
};

/** @param onKey what pages did not want of the keyboard */
export function listenToPreloads(onKey: (contents: WebContents, said: Said) => void): void {
  hearPages((contents, frame, said) => {
    if (said.kind === 'key') onKey(contents, said);
    else if (said.kind === 'send') {
      const event = { sender: contents, senderFrame: frame, ports: [] };
      for (const listener of listeners.get(said.channel) ?? []) listener(event, ...(unpack(said.values) as unknown[]));
    } else void answer(contents, frame, said);
  });
}

async function answer(contents: WebContents, frame: WebFrameMain | null, said: Said): Promise<void> {
  const { id, channel } = said;
  let reply: object;
  try {
    const handler = handlers.get(channel);
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
    const event = { sender: contents, senderFrame: frame };
    reply = { value: pack(await handler(event, ...(unpack(said.values) as unknown[]))) };
  } catch (error) {
    console.error(`Error occurred in handler for '${channel}':`, error);
    reply = { error: `Error invoking remote method '${channel}': ${String(error)}` };
  }
  frame?.tell({ kind: 'answer', id, ...reply });
}
