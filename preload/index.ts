/** The bridge of the desktop app's windows. Runs in the sandbox, before the page, in a world of its own; see contract/bridge.ts. */
import { contextBridge, ipcRenderer } from 'electron';
import { BRIDGE, CHANNELS } from './contract/bridge.ts';
import type { Arrival, Bridge } from './contract/bridge.ts';

/** What is used of the browser's window. */
declare const window: {
  postMessage(data: unknown, origin: string, ports: readonly unknown[]): void;
  readonly location: { readonly origin: string };
};

const toPage = (arrival: Arrival, ports: readonly unknown[] = []): void =>
  window.postMessage(arrival, window.location.origin, ports);

ipcRenderer.on(CHANNELS.port, (event, token: string) => toPage({ type: 'sweeplab:port', token }, event.ports));
ipcRenderer.on(CHANNELS.arrival, (_event, arrival: Arrival) => toPage(arrival));

const bridge: Bridge = {
  connect: (token) => ipcRenderer.send(CHANNELS.connect, token),
  pickFile: (choice) => ipcRenderer.invoke(CHANNELS.pickFile, choice),
  saveFile: (choice) => ipcRenderer.invoke(CHANNELS.saveFile, choice),
  openExternal: (address) => ipcRenderer.invoke(CHANNELS.openExternal, address),
  notify: (title, body, path) => ipcRenderer.send(CHANNELS.notify, title, body, path),
  platform: process.platform,
};

contextBridge.exposeInMainWorld(BRIDGE, bridge);
