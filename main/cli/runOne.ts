/** Trains one run of the database to its end, with display and Ctrl-C. */
import type { Lab } from '../host/lab.ts';
import { deviceFor } from '../lab/fit/index.ts';
import type { Context } from './context.ts';
import { tellGrace, tellTrouble, watchDatabase } from './trouble.ts';
import { EXIT } from './errors.ts';
import { workUntilDone } from './interrupts.ts';
import { runJson } from './json.ts';
import { ending, TrainDisplay } from './progress/train.ts';

/** Trains a queued run. Sets the exit code. */
export async function trainQueued(context: Context, lab: Lab, runId: string): Promise<void> {
  const { output } = context;
  const { config } = lab.store.getRun(runId)!;
  // Where it cannot be told, training says why.
  const device = await deviceFor(config).catch(() => undefined);
  using display = new TrainDisplay(output, context.workshop.registry.catalog, device);
  const queue = lab.queue({
    places: 1,
    scope: { runId },
    onEvent: display.handle,
    onTrouble: (error) => tellTrouble(output, error),
    onGrace: (error, milliseconds) => {
      // Nothing moves any more.
      display[Symbol.dispose]();
      tellGrace(output, error, milliseconds);
    },
  });
  using _watch = watchDatabase(lab.store, output);
  const interrupted = await workUntilDone(queue, () =>
    output.note('Stopping after this step; the run can be resumed. Press Ctrl-C again to end at once.'),
  );
  display[Symbol.dispose]();
  const run = lab.store.getRun(runId)!;
  output.text(ending(run, output));
  if (run.state === 'stopped' || run.state === 'queued')
    output.text(`Resume it with: sweeplab train --resume ${run.id}`);
  else output.text(`See it with: sweeplab runs show ${run.id}`);
  output.data(runJson(run));
  context.exit(run.state === 'finished' ? EXIT.ok : interrupted ? EXIT.interrupted : EXIT.failed);
}
