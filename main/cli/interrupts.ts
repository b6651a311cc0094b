/** Ctrl-C: once stops cleanly, twice ends at once. */
import type { RunQueue } from '../lab/queue/queue.ts';

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
