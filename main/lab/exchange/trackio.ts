/** Trackio: a CSV file for each run, with the columns that its `import_csv` looks for. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { csvLine, numberCell } from '../../../preload/shared/csv.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import type { ExportJob } from './exchange.ts';
import { began, runFileName } from './exportedRun.ts';
import { stepRows } from './stepRows.ts';

/** What Trackio takes for the columns that are no metrics, whatever their case. */
const OWN = /^(?:step|timestamp)$/iu;

export const trackio = defineExchange({
  name: 'trackio',
  label: 'Trackio, a folder of CSV files',
  help: 'Every metric of each run, a row per step with its time: trackio.import_csv(FILE, project=NAME), a project for each file.',
  extensions: ['zip'],
  options: ['metrics'],
  *files(job) {
    for (const run of job.runs) yield { path: `${runFileName(run)}.csv`, pieces: lines(job, run) };
  },
});

function* lines(job: ExportJob, run: RunRecord): Generator<string> {
  const metrics = wantedMetrics(job, run.id);
  // A metric of an import that is called like one of Trackio's columns would be taken for it.
  yield csvLine(['step', 'timestamp', ...metrics.map((name) => (OWN.test(name) ? `metric/${name}` : name))]);
  for (const { step, seconds, count, metric, value } of stepRows(job, run.id, metrics)) {
    // Steps are whole there, and times are texts.
    const cells = Array.from({ length: metrics.length + 2 }, () => '');
    cells[0] = numberCell(Math.round(step));
    cells[1] = new Date(began(run) + seconds * 1000).toISOString();
    for (let i = 0; i < count; i++) cells[metric[i] + 2] = numberCell(value[i]);
    yield csvLine(cells);
  }
}
