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
  saveFile: (choice, content) => ipcRenderer.invoke(CHANNELS.saveFile, choice, content),
  chooseFile: (choice) => ipcRenderer.invoke(CHANNELS.chooseFile, choice),
  showFile: (path) => ipcRenderer.invoke(CHANNELS.showFile, path),
};

contextBridge.exposeInMainWorld(BRIDGE, bridge);
