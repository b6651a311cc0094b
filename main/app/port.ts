/** A port of Electron's main process as a port of the contract. */
import type { MessagePortMain } from 'electron';
import { portOver } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';

/** Array buffers are copied, never transferred: a transferred one arrives empty (electron#34905). */
export function portOfMain(port: MessagePortMain): Port {
  return portOver({ post: (message) => port.postMessage(message), close: () => port.close() }, (receive, closed) => {
    port.on('message', ({ data }) => receive(data));
    port.on('close', closed);
    port.start();
  });
}
