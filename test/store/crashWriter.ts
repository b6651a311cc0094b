/**
 * Writes points as fast as it can and tells on stdout which are acknowledged, until it is killed.
 * Arguments: database, run id. Continues after the last point that is there.
 */

import { writeSync } from 'node:fs';
import { openStore } from '../../main/store/index.ts';
import { crashValue, METRICS } from './crash.ts';

const [path, runId] = process.argv.slice(2);
const store = openStore(path);
let step = store.getRun(runId)!.steps;
writeSync(1, `start ${step}\n`);
for (;;) {
  const waiting: Promise<void>[] = [];
  const upTo: number[] = [];
  for (let batch = 0; batch < 4; batch++) {
    const size = 1 + ((step * 7) % 400);
    const steps = Float64Array.from({ length: size }, (_, i) => step + i);
    const columns = METRICS.map((metric, m) => ({ metric, steps, values: steps.map((s) => crashValue(m, s)) }));
    step += size;
    waiting.push(store.appendMetrics(runId, columns, { steps: step, summary: { last: step } }));
    upTo.push(step);
  }
  writeSync(1, `try ${step}\n`);
  // Half of the time without a pause between commits, so that many kills fall into one.
  const eager = step % 2 === 0;
  const acknowledgements = Promise.all(
    waiting.map((acknowledged, i) => acknowledged.then(() => writeSync(1, `ack ${upTo[i]}\n`))),
  );
  if (eager) store.flush();
  await acknowledgements;
  // Some commits of other kinds between the points.
  if (step % 3 === 0) store.updateRun(runId, { note: `at ${step}` });
}
