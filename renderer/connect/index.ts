/** Connects the page to the lab: by the desktop app's port where there is one, else by a WebSocket to the server of the page. */
import { bridge, connectBridge } from './bridgePort.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { connectSocket } from './socket.ts';

/** Called once, before the stores start. */
export function connectLab(): Client {
  const own = bridge();
  const { protocol, host } = window.location;
  const address = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/lab`;
  return createClient({ connect: () => (own === undefined ? connectSocket(address) : connectBridge(own)) });
}
