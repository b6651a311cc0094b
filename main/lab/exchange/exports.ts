/** Exports: the one way from runs to the pieces of a file, for the command line and for the interface. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Store } from '../../store/index.ts';
import type { ExchangeKind, ExportJob } from './exchange.ts';

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

/** The pieces of a file; they are made while they are asked for. */
export function exportPieces(
  store: Pick<Store, 'metricNames' | 'readAll'>,
  { names, defaults }: SettingNames,
  format: ExchangeKind,
  { runs, metrics, exact = false, allSettings = false }: Wanted,
): Iterable<string | Uint8Array> {
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
