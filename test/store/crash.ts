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
  readonly acknowledged: number;
  readonly found: number;
}

/** One round: start, wait for a random number of acknowledgements, kill -9, verify everything. Throws on any fault. */
export async function crashRound(path: string, runId: string, random: () => number): Promise<CrashRound> {
  const script = fileURLToPath(new URL('crash-writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path, runId], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  // One line says that it started; at least one acknowledgement follows.
  const killAfter = 2 + Math.floor(random() * 40);
  let lines = 0;
  let text = '';
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
    lines += data.toString().split('\n').length - 1;
    // A random number of turns later, so that the kill also falls into the middle of transactions.
    if (lines >= killAfter) setTimeout(() => child.kill('SIGKILL'), random() * 12);
  });
  const [, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors}`);
  // The last line may be cut off: then it was not an acknowledgement.
  const acknowledged = Number(/(?:start|ack) (\d+)\n(?!.*\n)/s.exec(text)?.[1] ?? 0);

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
    return { acknowledged, found: steps };
  } finally {
    store.close();
  }
}
