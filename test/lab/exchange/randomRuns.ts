/** Runs that formats are tried on: random series with odd values, names in other scripts, a run without points. */
import type { Store } from '../../../main/store/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

/** mulberry32 */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Metrics that no tool is known to name so. */
const UNKNOWN: ReadonlySet<string> = new Set(['精度', 'a.b c']);
const ODD = [NaN, Infinity, -Infinity, -0, 0, 1e-300, -1e300, 2 ** 53, 0.1, 5e-324];

export interface Expected {
  readonly run: RunRecord;
  readonly series: ReadonlyMap<string, { readonly step: Float64Array; readonly value: Float64Array }>;
}

/** A sweep of two settings × two seeds, a run of its own without points, and what each holds. */
export async function randomRuns(store: Store, defaults: Config, seed: number): Promise<Expected[]> {
  const random = randomNumbers(seed);
  const runs = [0.001, 0.01].flatMap((lr) =>
    [1, 2].map((number) => ({
      name: `lr=${lr} ζ/"名" seed=${number}`,
      config: { ...defaults, 'optimizer.lr': lr, 'model.bias': lr > 0.005, 'data.separator': '\n—', seed: number },
      seed: number,
      settingKey: `k${lr}`,
      tags: ['α', 'b c'],
      note: 'first line\nsecond “line” 🙂',
    })),
  );
  const made = store.createSweep({ name: 'Über sweep: 1/2', spec: {} }, runs).runs;
  const all: Expected[] = [];
  for (const { id } of made) {
    store.setRunState(id, 'running');
    const series = new Map<string, { step: Float64Array; value: Float64Array }>();
    for (const metric of ['train/loss', 'val/loss', 'seconds', '精度', 'a.b c']) {
      // One is longer than what is read at a time. One value alone under a name that nobody knows is a setting to those who import a table.
      const least = metric === 'train/loss' && id === made[0].id ? 4097 : UNKNOWN.has(metric) ? 2 : 1;
      const length = Math.floor(random() * 800) + least;
      let at = Math.floor(random() * 3);
      const step = Float64Array.from({ length }, () => (at += 1 + Math.floor(random() ** 4 * 9)));
      const value = Float64Array.from({ length }, (_, i) =>
        metric === 'seconds' ? i / 7 : random() < 0.05 ? ODD[Math.floor(random() * ODD.length)] : random() * 10,
      );
      series.set(metric, { step, value });
    }
    await store.appendMetrics(
      id,
      [...series].map(([metric, { step, value }]) => ({ metric, steps: step, values: value })),
    );
    all.push({ run: store.getRun(id)!, series });
  }
  const empty = store.createRun({ name: 'nothing', config: { ...defaults, seed: 7 }, seed: 7, settingKey: 'x' });
  return [...all, { run: empty, series: new Map() }];
}
