/** A WebSocket of a client as a port. Messages are whole binary frames of the contract's codec. */
import { WebSocket } from 'ws';
import { decode, encode, OversizeError, oversizeReply } from '../../preload/contract/codec.ts';
import { grouped, LIMITS } from '../../preload/contract/limits.ts';
import { inTurns } from './turns.ts';
import { portOver } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';
import { readClientMessage } from '../../preload/contract/rpc.ts';
import type { ErrorMessage } from '../../preload/contract/rpc.ts';

/** A client that does not answer for so long is gone: a laptop that sleeps, a cable that was pulled. */
const HEARTBEAT_MS = 15_000;

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const NO_SUCH_DATA = 1003;
const POLICY = 1008;
const TOO_BIG = 1009;

const UNKNOWN: ErrorMessage = {
  kind: 'reply',
  id: 0,
  ok: false,
  code: 'input',
  message: 'The message is none of the protocol.',
};

/** Names the limit when it ends a connection for a message beyond it: the library's own end has a number and no words. */
export class TellingSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const told = `a message has more than ${grouped(LIMITS.answeredBytes)} bytes`;
    super.close(code, reason ?? (code === TOO_BIG ? told : undefined));
  }
}

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
  let refused = 0;
  /** An answer that says what is wrong with a message; one that sends nothing else is told so, and no longer listened to. */
  const refuse = (reply: ErrorMessage): void => {
    socket.send(encode(reply));
    refused += 1;
    if (refused === LIMITS.refusedMessages)
      socket.close(POLICY, `${grouped(refused)} messages of this connection could not be read`);
  };
  return portOver(
    {
      post: (message) => socket.send(encode(message)),
      close: () => socket.close(),
      pressure: () => socket.bufferedAmount,
    },
    (receive, closed) => {
      const hear = (data: Buffer, isBinary: boolean): void => {
        let message: unknown;
        try {
          if (!isBinary) throw new TypeError('text');
          message = decode(data, { bounded });
        } catch (error) {
          if (error instanceof OversizeError) {
            refuse(oversizeReply(error));
            return;
          }
          socket.close(NO_SUCH_DATA, 'not a message of Sweeplab');
          return;
        }
        if (bounded && readClientMessage(message) === undefined) refuse(UNKNOWN);
        else receive(message);
      };
      const heard = bounded ? inTurns(socket, hear) : hear;
      socket.on('message', (data, isBinary) => {
        alive = true;
        heard(data as Buffer, isBinary);
      });
      // The close follows, with its reason; without a listener the error would end the process.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(heartbeat);
        closed();
      });
    },
  );
}
