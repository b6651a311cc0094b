/** Kill -9 a writing process at a random moment, again and again, and check what is left; used by two suites. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openStore } from '../../main/store/index.ts';

export const METRICS = ['train/loss', 'tokens', 'grad/norm'];

export function crashValue(metric: number, step: number): number {
  return metric === 0 && step % 501 === 500 ? NaN : Math.sin(step * (metric + 1)) * 100;
}

export interface CrashRound {
  /** Points were on their way when the kill came. */
  readonly inFlight: boolean;
  readonly acknowledged: number;
  readonly found: number;
}

/** One round: start, wait for a random number of acknowledgements, kill -9, verify everything. Throws on any fault. */
export async function crashRound(path: string, runId: string, random: () => number): Promise<CrashRound> {
  const script = fileURLToPath(new URL('crashWriter.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path, runId], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const killAfter = 2 + Math.floor(random() * 40);
  let lines = 0;
  let text = '';
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
    lines = text.split('\nack ').length;
    // A random moment later, so that the kill also falls into the middle of transactions.
    if (lines >= killAfter) setTimeout(() => child.kill('SIGKILL'), random() * 70);
  });
  const [, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors}`);
  // A last line that is cut off was not an acknowledgement.
  const told = (pattern: RegExp): number => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const acknowledged = told(/^(?:start|ack) (\d+)\n/gm);
  const inFlight = told(/^try (\d+)\n/gm) > acknowledged;

  const store = openStore(path);
  try {
    const faults = store.check();
    if (faults.length > 0) throw new Error(`damaged: ${faults.join('; ')}`);
    const { steps, summary } = store.getRun(runId)!;
    if (steps < acknowledged) throw new Error(`acknowledged up to ${acknowledged}, but the run says ${steps}`);
    if (steps > 0 && summary.last !== steps) throw new Error(`summary ${summary.last} is not of step ${steps}`);
    METRICS.forEach((metric, m) => {
      const { step, value } = store.readAll(runId, metric);
      if (step.length !== steps) throw new Error(`${metric}: ${step.length} points, the run says ${steps}`);
      for (let i = 0; i < step.length; i++) {
        if (step[i] !== i || !Object.is(value[i], crashValue(m, i))) throw new Error(`${metric}: wrong point ${i}`);
      }
    });
    return { acknowledged, found: steps, inFlight };
  } finally {
    store.close();
  }
}
