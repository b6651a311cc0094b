/** Exports: the one way from runs to the pieces of a file, for the command line and for the interface. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { Store } from '../../store/index.ts';
import type { ExchangeKind, ExportJob } from './exchange.ts';
import { ExportError } from './file.ts';

export interface Wanted {
  readonly runs: readonly RunRecord[];
  readonly metrics?: readonly string[];
  readonly exact?: boolean;
  /** Every setting, not only those that differ from the defaults. */
  readonly allSettings?: boolean;
}

export interface SettingNames {
  readonly names: readonly string[];
  readonly defaults: Config;
}

/** @throws ExportError for a metric that none of the runs has: a table without it would look like a run without points */
function checkMetrics(store: Pick<Store, 'metricNames'>, { runs, metrics }: Wanted): void {
  if (metrics === undefined || runs.length === 0) return;
  const recorded = new Set(runs.flatMap(({ id }) => store.metricNames(id)));
  const missing = metrics.find((name) => !recorded.has(name));
  if (missing === undefined) return;
  const near = nearestName(missing, recorded);
  const nearest = near === undefined ? '' : `; nearest: ${near}`;
  const which = runs.length === 1 ? 'the run has' : `the ${runs.length} runs have`;
  const allowed =
    recorded.size === 0 ? `none, since ${which} no points` : `what ${which}: ${[...recorded].toSorted().join(', ')}`;
  throw new ExportError(`metric is ${JSON.stringify(missing)}; allowed: ${allowed}${nearest}`);
}

/** The pieces of a file; they are made while they are asked for. @throws ExportError for a metric that no run has */
export function exportPieces(
  store: Pick<Store, 'metricNames' | 'readAll'>,
  { names, defaults }: SettingNames,
  format: ExchangeKind,
  wanted: Wanted,
): Iterable<string | Uint8Array> {
  checkMetrics(store, wanted);
  const { runs, metrics, exact = false, allSettings = false } = wanted;
  const job: ExportJob = {
    runs,
    settings: allSettings ? names : changedSettingNames(runs, names, defaults),
    ...(metrics === undefined ? {} : { metrics }),
    exact,
    metricNames: (runId) => store.metricNames(runId),
    read: (runId, metric) => store.readAll(runId, metric),
  };
  return format.write(job);
}

/** `sweeplab-runs-2026-11-26.csv`: what a file is called where nobody names it. */
export const exportName = (format: ExchangeKind, what = 'sweeplab-runs', day = new Date()): string =>
  `${what}-${day.toISOString().slice(0, 10)}.${format.extensions[0]}`;

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
