/** The WebSocket of the browser as a port. */
import { CodecError, decode, encode } from '../../preload/contract/codec.ts';
import { portOver } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';

/** Connects to the lab that served the page. @throws when nobody answers, or the page has no session any more */
export function connectSocket(address: string): Promise<Port> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    let open = false;
    // Attached before the connection is open: the lab speaks first.
    const port = portOver(
      {
        // What is too long is refused here, for the one call; the server would end the connection of all.
        post: (message) => socket.send(encode(message, { bounded: true })),
        close: () => socket.close(),
        pressure: () => socket.bufferedAmount,
      },
      (receive, closed) => {
        socket.addEventListener('message', ({ data }) => {
          try {
            receive(decode(new Uint8Array(data as ArrayBuffer), { owned: true }));
          } catch (error) {
            if (!(error instanceof CodecError)) throw error;
            socket.close();
          }
        });
        socket.addEventListener('close', () => {
          closed();
          if (!open)
            reject(
              new Error(
                'Sweeplab does not answer. Is it still running? If it is, open an address that it prints: sweeplab serve --new-address',
              ),
            );
        });
      },
    );
    socket.addEventListener('open', () => {
      open = true;
      resolve(port);
    });
  });
}
