/** A WebSocket of a client as a port. Messages are whole binary frames of the contract's codec. */
import type { WebSocket } from 'ws';
import { decode, encode, OversizeError, oversizeReply } from '../../preload/contract/codec.ts';
import { portOver } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';

/** A client that does not answer for so long is gone: a laptop that sleeps, a cable that was pulled. */
const HEARTBEAT_MS = 15_000;

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const NO_SUCH_DATA = 1003;

export interface SocketPortOptions {
  readonly heartbeatMs?: number;
  /** True where a client sends: what is larger than a client's messages may be gets an error for an answer. */
  readonly bounded?: boolean;
}

export function socketPort(
  socket: WebSocket,
  { heartbeatMs = HEARTBEAT_MS, bounded = false }: SocketPortOptions = {},
): Port {
  let alive = true;
  const heartbeat = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, heartbeatMs).unref();
  socket.on('pong', () => (alive = true));
  return portOver(
    {
      post: (message) => socket.send(encode(message)),
      close: () => socket.close(),
      pressure: () => socket.bufferedAmount,
    },
    (receive, closed) => {
      socket.on('message', (data, isBinary) => {
        alive = true;
        let message: unknown;
        try {
          if (!isBinary) throw new TypeError('text');
          message = decode(data as Buffer, { bounded });
        } catch (error) {
          if (error instanceof OversizeError) {
            socket.send(encode(oversizeReply(error)));
            return;
          }
          socket.close(NO_SUCH_DATA, 'not a message of Sweeplab');
          return;
        }
        receive(message);
      });
      // The close follows; without a listener the error would end the process.
      socket.on('error', () => socket.terminate());
      socket.on('close', () => {
        clearInterval(heartbeat);
        closed();
      });
    },
  );
}
