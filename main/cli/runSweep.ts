/** Trains the runs of a sweep to the end, with display, Ctrl-C and the final table. Used by sweep, start and their resuming. */
import { availableParallelism } from 'node:os';
import type { RunRecord } from '../../preload/contract/runs.ts';
import type { Lab } from '../host/lab.ts';
import { defaultConcurrency } from '../lab/queue/queue.ts';
import type { Context } from './context.ts';
import { checkDevices, checkMemory } from './devices.ts';
import { watchDatabase } from './trouble.ts';
import { EXIT } from './errors.ts';
import { formatDuration, plural } from './format.ts';
import { onInterrupt } from './interrupts.ts';
import { runJson, sweepJson } from './json.ts';
import { prepareData } from './prepare.ts';
import { SweepDisplay } from './progress/sweep.ts';
import { renderResults, resultsJson, sweepResults } from './results.ts';
import { INTERRUPTED } from './runOne.ts';

export interface RunSweepOptions {
  /** Runs at a time; default: as many as the cores carry. */
  readonly concurrency?: number;
}

export interface SweepOutcome {
  readonly interrupted: boolean;
  readonly runs: readonly RunRecord[];
}

/** Trains everything of the sweep that is queued and prints the result. Sets the exit code. */
export async function runSweep(
  context: Context,
  lab: Lab,
  sweepId: string,
  options: RunSweepOptions = {},
): Promise<SweepOutcome> {
  const { output } = context;
  const { store } = lab;
  const all = store.listRuns({ sweepId });
  const waiting = all.filter(({ state }) => state === 'queued');
  const started = performance.now();
  let interrupted = false;
  if (waiting.length > 0) {
    const configs = waiting.map(({ config }) => config);
    const threads = await checkDevices(configs);
    // Found in the cache when the sweep was made a moment ago; needed again when it is resumed after the cache was emptied.
    await prepareData(context, configs);
    const wanted = defaultConcurrency(waiting.length, availableParallelism(), threads);
    // The runs exist, so they are not refused any more: whatever does not fit fails with its reason.
    const concurrency =
      options.concurrency ?? (await checkMemory(context, configs, { concurrency: wanted, force: true }));
    output.note(`${plural(waiting.length, 'run')}, ${concurrency} at a time`);
    interrupted = await work(context, lab, sweepId, {
      total: all.length,
      ended: all.length - waiting.length,
      concurrency,
    });
  }
  const runs = store.listRuns({ sweepId });
  conclude(context, lab, sweepId, runs, interrupted, (performance.now() - started) / 1000);
  return { interrupted, runs };
}

async function work(
  context: Context,
  lab: Lab,
  sweepId: string,
  size: { total: number; ended: number; concurrency: number },
): Promise<boolean> {
  const { output } = context;
  using display = new SweepDisplay(output, size);
  const queue = lab.queue({ concurrency: size.concurrency, sweepId, onEvent: display.handle });
  using interrupts = onInterrupt(
    () => {
      output.note('Stopping after the steps in progress; the sweep can be resumed. Press Ctrl-C again to end at once.');
      void queue.stop(INTERRUPTED, 'urgent');
    },
    () => void queue.stop(INTERRUPTED, 'kill'),
  );
  const unwatch = watchDatabase(lab.store, output);
  await queue.run();
  unwatch();
  return interrupts.interrupted;
}

function conclude(
  context: Context,
  lab: Lab,
  sweepId: string,
  runs: readonly RunRecord[],
  interrupted: boolean,
  seconds: number,
): void {
  const { output, workshop } = context;
  const sweep = lab.store.getSweep(sweepId)!;
  const results = sweepResults(lab.store, sweep, workshop);
  const failed = runs.filter(({ state }) => state === 'failed');
  const open = runs.filter(({ state }) => state === 'queued' || state === 'stopped');
  output.text('');
  output.text(renderResults(results, output));
  output.text('');
  output.text(`Sweep ${sweep.id} (${sweep.name}): ${plural(runs.length, 'run')} in ${formatDuration(seconds)}.`);
  if (failed.length > 0) {
    for (const run of failed.slice(0, 5)) output.text(`  failed: ${run.name} (${run.id}): ${run.endReason}`);
    output.text(`${plural(failed.length, 'run')} failed; try again with: sweeplab sweep --retry-failed ${sweep.id}`);
  }
  if (open.length > 0)
    output.text(`${plural(open.length, 'run')} to go; resume with: sweeplab sweep --resume ${sweep.id}`);
  output.data({ sweep: sweepJson(sweep), results: resultsJson(results), runs: runs.map(runJson) });
  context.exit(interrupted ? EXIT.interrupted : failed.length > 0 ? EXIT.failed : EXIT.ok);
}
