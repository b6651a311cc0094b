/** Long format: one line per point. Every point of every metric, bit for bit. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';
import { csvLine, numberCell, cellOf, textCell } from '../../../preload/shared/csv.ts';

export interface LongOptions {
  readonly runs: readonly RunRecord[];
  /** Settings with a column, in this order. */
  readonly settings: readonly string[];
  /** Only these metrics; default: all. */
  readonly metrics?: readonly string[];
  /** Leaves text that looks like a formula as it is. */
  readonly exact?: boolean;
}

/** Columns: run, name, sweep, state, the settings, metric, step, value. */
export function longHeader(settings: readonly string[]): string[] {
  return ['run', 'name', 'sweep', 'state', ...settings, 'metric', 'step', 'value'];
}

const LINES_PER_CHUNK = 4096;

/** The file in chunks; one series at a time is in memory. */
export function* longCsv(store: Store, options: LongOptions): Generator<string> {
  const { runs, settings, metrics: wanted, exact = false } = options;
  yield csvLine(longHeader(settings));
  for (const run of runs) {
    const fixed = [
      run.id,
      textCell(run.name, exact),
      run.sweepId ?? '',
      run.state,
      ...settings.map((name) => cellOf(run.config[name], exact)),
    ];
    for (const metric of store.metricNames(run.id)) {
      if (wanted !== undefined && !wanted.includes(metric)) continue;
      const { step, value } = store.readAll(run.id, metric);
      // All that is text is the same for every line of a series, so it is quoted once.
      const prefix = csvLine([...fixed, textCell(metric, exact)]).slice(0, -1);
      for (let begin = 0; begin < step.length; begin += LINES_PER_CHUNK) {
        let chunk = '';
        const end = Math.min(step.length, begin + LINES_PER_CHUNK);
        for (let i = begin; i < end; i++) chunk += `${prefix},${numberCell(step[i])},${numberCell(value[i])}\n`;
        yield chunk;
      }
    }
  }
}

/** Settings whose value differs from the default in at least one run, and the seed: what tells runs apart and reproduces them. */
export function changedSettingNames(
  runs: readonly RunRecord[],
  names: readonly string[],
  defaults: RunRecord['config'],
): string[] {
  return names.filter(
    (name) =>
      name === 'seed' || runs.some(({ config }) => config[name] !== undefined && config[name] !== defaults[name]),
  );
}
