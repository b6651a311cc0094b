/** The best setting of a sweep by the mean over its seeds. */
import type { metricOfSweep } from '../../../preload/shared/metrics.ts';
import type { RunRecord } from '../../stores/contract.ts';

export interface Best {
  readonly metric: string;
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for one seed. */
  readonly deviation: number | null;
  readonly count: number;
  readonly settingKey: string;
  readonly name: string;
}

type Declared = NonNullable<ReturnType<typeof metricOfSweep>>;

/** What small models are compared by, the first that a sweep has. Bits per byte compare across tokenizers. */
const METRICS = ['val/bpb', 'val/loss', 'train/loss'] as const;

/**
 * Groups finished runs by setting and returns the best mean, of the sweep's own metric where it names one. Settings with fewer finished seeds than the fullest are left out: a
 * single lucky seed would win too often.
 */
export function bestSetting(runs: readonly RunRecord[], declared: Declared | null = null): Best | null {
  const finished = runs.filter((run) => run.state === 'finished');
  const sign = declared?.goal === 'maximize' ? -1 : 1;
  for (const metric of declared === null ? METRICS : [declared.name, ...METRICS]) {
    const groups = new Map<string, { name: string; values: number[] }>();
    for (const run of finished) {
      const value = run.summary[metric];
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      const group = groups.get(run.settingKey) ?? { name: run.name, values: [] };
      group.values.push(value);
      groups.set(run.settingKey, group);
    }
    if (groups.size === 0) continue;
    const most = Math.max(...[...groups.values()].map(({ values }) => values.length));
    let best: Best | null = null;
    for (const [settingKey, { name, values }] of groups) {
      if (values.length < most) continue;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const lower = metric === declared?.name ? sign : 1;
      if (best !== null && lower * best.mean <= lower * mean) continue;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
      best = { metric, mean, deviation, count: values.length, settingKey, name };
    }
    return best;
  }
  return null;
}
