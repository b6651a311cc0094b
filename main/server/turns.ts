/**
 * A fair share of this process for each connection: what a client sends at once is heard a little at a time, and between two turns all
 * others are. What it sends on meanwhile waits in its own connection.
 */
import type { WebSocket } from 'ws';

/** Milliseconds that a client is listened to in one go. */
const TURN_MS = 4;

type Heard = (data: Buffer, isBinary: boolean) => void;
type Socket = Pick<WebSocket, 'pause' | 'resume' | 'readyState' | 'OPEN'>;

/** @returns what is to be told of each message; `heard` is told them in their order */
export function inTurns(socket: Socket, heard: Heard, now: () => number = () => performance.now()): Heard {
  const waiting: [Buffer, boolean][] = [];
  /** Milliseconds of this turn that are used up. */
  let used = 0;
  let ends = false;
  let paused = false;
  const go = (): void => {
    while (waiting.length > 0 && used < TURN_MS) {
      const begin = now();
      heard(...waiting.shift()!);
      used += now() - begin;
    }
    if (used > 0 && !ends) {
      ends = true;
      setImmediate(next);
    }
    const full = waiting.length > 0;
    if (full === paused || socket.readyState !== socket.OPEN) return;
    paused = full;
    if (paused) socket.pause();
    else socket.resume();
  };
  const next = (): void => {
    [used, ends] = [0, false];
    // Nobody is there any more to be answered.
    if (socket.readyState !== socket.OPEN) waiting.length = 0;
    go();
  };
  return (data, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    waiting.push([data, isBinary]);
    go();
  };
}
