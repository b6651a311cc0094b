/** Long format: one line per point. Every point of every metric, bit for bit. */
import { cellOf, csvLine, numberCell, textCell } from '../../../preload/shared/csv.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';

/** Columns: run, name, sweep, state, the settings, metric, step, value. */
function longHeader(settings: readonly string[]): string[] {
  return ['run', 'name', 'sweep', 'state', ...settings, 'metric', 'step', 'value'];
}

export const csvLong = defineExchange({
  name: 'csv-long',
  label: 'CSV, one line per point',
  help: 'Every point of every metric, exact to the bit, with the settings of its run: for pandas, R and spreadsheets.',
  extensions: ['csv'],
  options: ['metrics', 'settings', 'exact'],
  appends: true,
  *write(job) {
    const { runs, settings, exact, stream } = job;
    yield csvLine(longHeader(settings));
    for (const run of runs) {
      const fixed = [
        run.id,
        textCell(run.name, exact),
        run.sweepId ?? '',
        run.state,
        ...settings.map((name) => cellOf(run.config[name], exact)),
      ];
      for (const metric of wantedMetrics(job, run.id)) {
        // All that is text is the same for every line of a series, so it is quoted once.
        const prefix = csvLine([...fixed, textCell(metric, exact)]).slice(0, -1);
        for (const { step, value } of stream(run.id, metric)) {
          let piece = '';
          for (let i = 0; i < step.length; i++) piece += `${prefix},${numberCell(step[i])},${numberCell(value[i])}\n`;
          yield piece;
        }
      }
    }
  },
});
