/** Connects the page to the lab: by the desktop app's port where there is one, else by a WebSocket to the server of the page. */
import { setClient } from '../stores/client.ts';
import { bridge, connectBridge } from './bridgePort.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { connectSocket } from './socket.ts';

/** Called once, before the stores start. */
export function installClient(): Client {
  const own = bridge();
  const { protocol, host } = window.location;
  const address = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/lab`;
  const client = createClient({ connect: () => (own === undefined ? connectSocket(address) : connectBridge(own)) });
  setClient(client);
  return client;
}

export { CallError } from './client.ts';
export type { Client } from './client.ts';
