/** Trains the runs of a sweep to the end, with display, Ctrl-C and the final table. Used by sweep, quickstart and resuming. */
import type { Lab } from '../host/lab.ts';
import { goesOnWithSweep } from '../lab/queue/resume.ts';
import type { Context } from './context.ts';
import { failureWords } from '../../preload/shared/results/endings.ts';
import { tellGrace, tellTrouble, watchDatabase } from './trouble.ts';
import { EXIT } from './errors.ts';
import { formatDuration, plural } from './format.ts';
import { workUntilDone } from './interrupts.ts';
import { runJson, sweepJson } from './json.ts';
import { getReady } from './launch.ts';
import { SweepDisplay } from './progress/sweep.ts';
import { runPrograms } from './runPrograms.ts';
import { renderResults, resultsJson, sweepResults } from './results.ts';

/** Trains everything of the sweep that is queued and prints the result. Sets the exit code. @returns whether it was interrupted */
export async function runSweep(context: Context, lab: Lab, sweepId: string, places: number): Promise<boolean> {
  const { output } = context;
  const { store } = lab;
  const all = store.listRuns({ sweepId });
  const waiting = all.filter(({ state }) => state === 'queued').length;
  const started = performance.now();
  let interrupted = false;
  if (waiting > 0) {
    output.note(`${plural(waiting, 'run')}, ${places} at a time`);
    interrupted = await work(context, lab, sweepId, {
      total: all.length,
      ended: all.length - waiting,
      concurrency: places,
    });
  }
  conclude(context, lab, sweepId, interrupted, (performance.now() - started) / 1000);
  return interrupted;
}

/** As {@link runSweep}, for a sweep that was made before: device, memory and data are looked at again. */
export async function resumeSweep(
  context: Context,
  lab: Lab,
  sweepId: string,
  places: number | undefined,
): Promise<void> {
  const { store } = lab;
  const configs = store.listRuns({ sweepId, state: 'queued' }).map(({ config }) => config);
  if (configs.length === 0) {
    await runSweep(context, lab, sweepId, 1);
    return;
  }
  const { concurrencyLimit: limit } = store.getSweep(sweepId)!;
  // The runs exist, so they are not refused any more: whatever does not fit fails with its reason.
  const ready = (await getReady(context, configs, {
    force: true,
    ...(places === undefined ? {} : { places, keepPlaces: true }),
    // Sweeps of older versions have none.
    ...(limit === null ? {} : { limit }),
  }))!;
  store.updateSweep(sweepId, { concurrencyLimit: ready.limit });
  await runSweep(context, lab, sweepId, ready.places);
}

/** As {@link runSweep}, for a sweep over a program. */
export async function runProgramSweep(context: Context, lab: Lab, sweepId: string): Promise<void> {
  const all = lab.store.listRuns({ sweepId });
  const waiting = all.filter(({ state }) => state === 'queued').length;
  const started = performance.now();
  const size = { total: all.length, ended: all.length - waiting };
  const interrupted = waiting > 0 && (await runPrograms(context, lab, { scope: { sweepId }, ...size }));
  conclude(context, lab, sweepId, interrupted, (performance.now() - started) / 1000);
}

async function work(
  context: Context,
  lab: Lab,
  sweepId: string,
  size: { total: number; ended: number; concurrency: number },
): Promise<boolean> {
  const { output } = context;
  using display = new SweepDisplay(output, size);
  const queue = lab.queue({
    places: size.concurrency,
    scope: { sweepId },
    onEvent: display.handle,
    onTrouble: (error) => tellTrouble(output, error),
    onGrace: (error, milliseconds) => {
      // Nothing moves any more.
      display[Symbol.dispose]();
      tellGrace(output, error, milliseconds);
    },
  });
  using _watch = watchDatabase(lab.store, output);
  return await workUntilDone(queue, () =>
    output.note('Stopping after the steps in progress; the sweep can be resumed. Press Ctrl-C again to end at once.'),
  );
}

function conclude(context: Context, lab: Lab, sweepId: string, interrupted: boolean, seconds: number): void {
  const { output, workshop } = context;
  const sweep = lab.store.getSweep(sweepId)!;
  const runs = lab.store.listRuns({ sweepId });
  const results = sweepResults(lab.store, sweep, workshop);
  const failed = runs.filter(({ state }) => state === 'failed');
  const open = runs.filter(goesOnWithSweep);
  const stopped = open.filter(({ state }) => state === 'stopped').length;
  output.text('');
  output.text(renderResults(results, output));
  output.text('');
  output.text(`Sweep ${sweep.id} (${sweep.name}): ${plural(runs.length, 'run')} in ${formatDuration(seconds)}.`);
  if (failed.length > 0) {
    for (const run of failed.slice(0, 5)) output.text(`  failed: ${run.name} (${run.id}): ${run.endReason}`);
    output.text(failureWords(failed));
    output.text(`try again with: sweeplab sweep --retry-failed ${sweep.id}`);
  }
  if (open.length > 0)
    output.text(
      `${plural(open.length, 'run')} to go${stopped === 0 ? '' : `, ${stopped} of them stopped`}; resume with: sweeplab sweep --resume ${sweep.id}`,
    );
  output.data({ sweep: sweepJson(sweep), results: resultsJson(results), runs: runs.map(runJson) });
  context.exit(interrupted ? EXIT.interrupted : failed.length > 0 ? EXIT.failed : EXIT.ok);
}
