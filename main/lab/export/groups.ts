/** Runs of one setting with different seeds, and what they say together: mean, sample standard deviation (n − 1), N. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { distinctSeeds } from '../../../preload/shared/results/seeds.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';

export interface Statistic {
  /** Finished runs with a finite value. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, divisor n − 1; NaN for fewer than two. */
  readonly sd: number;
  readonly min: number;
  readonly max: number;
}

export interface SettingGroup {
  readonly settingKey: string;
  /** Values of the varied settings. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** One per seed: a rerun takes the place of the run before it. */
  readonly runs: readonly RunRecord[];
  /** By metric name. Only finished runs count; `n` says how many of `runs` these are. */
  readonly statistics: Readonly<Record<string, Statistic>>;
}

/** Two passes, so that a small spread around a large mean keeps its digits. */
export function statistic(values: readonly number[]): Statistic {
  const finite = values.filter(Number.isFinite);
  const n = finite.length;
  if (n === 0) return { n, mean: Number.NaN, sd: Number.NaN, min: Number.NaN, max: Number.NaN };
  const mean = finite.reduce((sum, x) => sum + x, 0) / n;
  const squares = finite.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return {
    n,
    mean,
    sd: n > 1 ? Math.sqrt(squares / (n - 1)) : Number.NaN,
    min: Math.min(...finite),
    max: Math.max(...finite),
  };
}

/** Settings that differ between the runs, in the order of `names` (the registry's), without `seed`. */
export function variedSettings(runs: readonly RunRecord[], names?: readonly string[]): string[] {
  const all = names ?? [...new Set(runs.flatMap(({ config }) => Object.keys(config)))];
  return all.filter((name) => name !== 'seed' && new Set(runs.map(({ config }) => config[name])).size > 1);
}

/** Groups by setting key, in the order in which the settings first occur. Runs come in the order in which they were created. */
export function groupRuns(
  runs: readonly RunRecord[],
  metrics: readonly string[],
  varied: readonly string[] = variedSettings(runs),
): SettingGroup[] {
  return [...Map.groupBy(distinctSeeds(runs), ({ settingKey }) => settingKey)].map(([settingKey, list]) => ({
    settingKey,
    settings: Object.fromEntries(varied.map((name) => [name, list[0].config[name]])),
    runs: list,
    statistics: Object.fromEntries(
      metrics.map((metric) => {
        const values = list
          .filter(({ state }) => state === 'finished')
          .map(({ summary }) => summary[metric] ?? Number.NaN);
        return [metric, statistic(values)];
      }),
    ),
  }));
}

/** Index of the group with the best mean, among those with the most seeds finished; undefined when there is none. */
export function bestGroup(
  groups: readonly SettingGroup[],
  metric: string,
  goal: 'minimize' | 'maximize' = 'minimize',
): number | undefined {
  const sign = goal === 'minimize' ? 1 : -1;
  let best: number | undefined;
  // A mean over fewer seeds is not compared with one over all of them.
  const most = Math.max(0, ...groups.map(({ statistics }) => statistics[metric]?.n ?? 0));
  groups.forEach(({ statistics }, i) => {
    const own = statistics[metric];
    if (own === undefined || own.n === 0 || own.n < most) return;
    if (best === undefined || sign * own.mean < sign * groups[best].statistics[metric].mean) best = i;
  });
  return best;
}
