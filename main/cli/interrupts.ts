/** Ctrl-C: once stops cleanly, twice ends at once. */
import type { RunQueue } from '../lab/queue/queue.ts';
import { EXIT } from './errors.ts';

/** A terminal, npm and the launcher may each deliver the same Ctrl-C: within this time two count as one. */
const SAME_PRESS = 400;

export interface Interrupts extends Disposable {
  /** True after the first one. */
  readonly interrupted: boolean;
}

/** Calls `first` at the first SIGINT, SIGTERM or SIGHUP and `again` at each further one, until disposed. */
export function onInterrupt(
  first: (signal: NodeJS.Signals) => void,
  again: (signal: NodeJS.Signals) => void,
): Interrupts {
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let last = -Infinity;
  let interrupted = false;
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const same = now - last < SAME_PRESS;
    last = now;
    if (same) return;
    if (interrupted) again(signal);
    else {
      interrupted = true;
      first(signal);
    }
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    get interrupted() {
      return interrupted;
    },
    [Symbol.dispose]() {
      for (const signal of signals) process.removeListener(signal, listener);
    },
  };
}

/**
 * What is printed has lost its reader (`sweeplab runs ls | head`, a log whose program ended): a command that trains stops as when its terminal
 * is closed, with all that it has saved; any other has said enough, which is no error.
 */
export function endWithReader(): void {
  let gone = false;
  const ended = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' || gone) return;
    if (process.listenerCount('SIGHUP') === 0) process.exit(process.exitCode ?? EXIT.ok);
    gone = true;
    process.stderr.write('sweeplab: nobody reads the output any more: stopping as by Ctrl-C\n');
    process.emit('SIGHUP', 'SIGHUP');
  };
  process.stdout.on('error', ended);
  process.stderr.on('error', ended);
}

/** Works on a queue until nothing is left or Ctrl-C ends it. @returns whether it was interrupted */
export async function workUntilDone(queue: RunQueue, tell: () => void): Promise<boolean> {
  using interrupts = onInterrupt(
    () => {
      tell();
      queue.stop('urgent');
    },
    () => queue.stop('kill'),
  );
  await queue.run();
  return interrupts.interrupted;
}
