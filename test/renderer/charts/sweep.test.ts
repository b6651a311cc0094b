import { distinctSeeds } from '../../../preload/shared/results/seeds.ts';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { heatMap } from '../../../renderer/charts/sweep/heatmap.ts';
import { compareMetrics, higherIsBetter, metricOfSweep, sectionOf } from '../../../preload/shared/metrics.ts';
import { rankSettings } from '../../../preload/shared/results/rank.ts';
import {
  configDifference,
  differingSettings,
  groupBySettings,
  labelOf,
  valuesOf,
} from '../../../preload/shared/results/groups.ts';
import type { SweepRun } from '../../../preload/shared/results/groups.ts';
import { trendOf } from '../../../renderer/charts/sweep/trend.ts';

let id = 0;
const run = (config: Config, loss: number | null, more: Partial<SweepRun> = {}): SweepRun => {
  const { seed, ...rest } = config;
  return {
    id: `r${id++}`,
    name: 'run',
    config,
    seed: Number(seed),
    settingKey: JSON.stringify(rest),
    state: 'finished',
    summary: { 'val/loss': loss, 'val/accuracy': loss === null ? null : 1 / loss, seconds: 10 },
    ...more,
  };
};
const sweep = (): SweepRun[] => [
  run({ depth: 1, width: 32, seed: 1 }, 2.2),
  run({ depth: 1, width: 32, seed: 2 }, 2.3),
  run({ depth: 2, width: 32, seed: 1 }, 1.5),
  run({ depth: 2, width: 32, seed: 2 }, 2.9),
  run({ depth: 1, width: 64, seed: 1 }, 2.0),
  run({ depth: 1, width: 64, seed: 2 }, 2.01),
  run({ depth: 2, width: 64, seed: 1 }, null, { state: 'failed' }),
];

describe('settings of runs', () => {
  it('differ without the seed, and are compared exactly (would catch groups by rounded values)', () => {
    expect(differingSettings(sweep())).toEqual(['depth', 'width']);
    const close = [run({ lr: 0.1 + 0.2, seed: 1 }, 1), run({ lr: 0.3, seed: 1 }, 1)];
    expect(groupBySettings(close, ['lr'])).toHaveLength(2);
  });
  it('values in order of size, not of text', () => {
    expect(valuesOf([run({ w: 64, seed: 1 }, 1), run({ w: 128, seed: 1 }, 1), run({ w: 8, seed: 1 }, 1)], 'w')).toEqual(
      [8, 64, 128],
    );
  });
  it('labels shorten names only where they stay clear', () => {
    expect(labelOf({ 'model.depth': 2, 'optimizer.kind': 'sgd' })).toBe('depth 2 · optimizer.kind sgd');
    expect(labelOf({ 'a.x': 2, 'b.x': 1 })).toBe('a.x 2 · b.x 1');
  });
  it('difference of two configurations has both sides, missing ones too', () => {
    expect(configDifference({ a: 1, b: 2 }, { a: 1, b: 3, c: true })).toEqual([
      { setting: 'b', here: 2, there: 3 },
      { setting: 'c', here: undefined, there: true },
    ]);
  });
});

describe('ranking', () => {
  it('is by the mean over seeds, not by the luckiest run', () => {
    const { columns, rows } = rankSettings(sweep(), 'val/loss');
    expect(columns).toEqual(['depth', 'width']);
    expect(rows.map(({ values, rank }) => [values['depth'], values['width'], rank])).toEqual([
      [1, 64, 1],
      [2, 32, 2],
      [1, 32, 3],
      [2, 64, undefined],
    ]);
    expect(rows[1].best?.summary['val/loss']).toBe(1.5);
    expect(rows[0].metric).toMatchObject({ n: 2, mean: 2.005 });
    expect(rows[3]).toMatchObject({ verdict: 'none', states: { failed: 1 } });
  });
  it('counts runs that came to their end (would catch the early loss of a run that died in the mean of the others)', () => {
    const runs = [run({ depth: 1, seed: 1 }, 2), run({ depth: 1, seed: 2 }, 5.6, { state: 'failed' })];
    expect(rankSettings(runs, 'val/loss').rows[0]).toMatchObject({ metric: { n: 1, mean: 2 }, seconds: { n: 1 } });
    expect(rankSettings(runs.slice(1), 'val/loss').rows[0]).toMatchObject({ verdict: 'none' });
  });
  it('says when the seeds do not allow to call a setting worse', () => {
    const { rows } = rankSettings(sweep(), 'val/loss');
    expect(rows.map(({ verdict }) => verdict)).toEqual(['best', 'tied', 'tied', 'none']);
    const clear = [1, 2, 3].flatMap((seed) => [
      run({ a: 1, seed }, 1 + seed / 1000),
      run({ a: 2, seed }, 2 + seed / 1000),
    ]);
    expect(rankSettings(clear, 'val/loss').rows.map(({ verdict }) => verdict)).toEqual(['best', 'worse']);
  });
  it('turns round for metrics of which more is better', () => {
    expect(higherIsBetter('val/accuracy')).toBe(true);
    expect(rankSettings(sweep(), 'val/accuracy').rows[0].values).toEqual({ depth: 2, width: 32 });
    // The sweep's own goal wins over what the name says.
    const lowest = rankSettings(sweep(), 'val/loss').rows[0].key;
    expect(rankSettings(sweep(), 'val/loss', 'maximize').rows[0].key).not.toBe(lowest);
    expect(metricOfSweep({ metric: { name: 'x', goal: 'maximize' } })).toEqual({ name: 'x', goal: 'maximize' });
    expect([metricOfSweep({ metric: { name: 3 } }), metricOfSweep(null)]).toEqual([null, null]);
  });
});

describe('heat map and trend', () => {
  it('average over the rest, say over what and over how many', () => {
    const runs = sweep().concat([1, 2].map((seed) => run({ depth: 1, width: 32, lr: 9, seed }, 3)));
    const map = heatMap(runs, 'val/loss', 'depth', 'width');
    const cell = map.cells.find(({ column, row }) => column === 0 && row === 0)!;
    expect(cell).toMatchObject({ n: 4, runs: 4 });
    expect(cell.value).toBeCloseTo((2.2 + 2.3 + 3 + 3) / 4, 12);
    expect(map.averaged).toEqual(['lr']);
    expect(map.cells.find(({ column, row }) => column === 1 && row === 1)!.value).toBeNaN();
    expect(
      heatMap(runs, 'val/loss', 'depth', 'width', 'best').cells.find((c) => c.column === 1 && c.row === 0)!.value,
    ).toBe(1.5);
    // With the goal turned round the best of a cell is its largest value.
    expect(heatMap(runs, 'val/loss', 'depth', 'width', 'best', 'maximize').cells[0].value).toBe(3);
  });
  it('a trend has one line per other value and no point where nothing ended with a number', () => {
    const { lines, numeric } = trendOf(sweep(), 'val/loss', 'depth', ['width']);
    expect(numeric).toBe(true);
    expect(lines.map(({ values, points }) => [values['width'], points.map(({ x, n }) => [x, n])])).toEqual([
      [
        32,
        [
          [1, 2],
          [2, 2],
        ],
      ],
      [64, [[1, 2]]],
    ]);
  });
});

describe('metric names', () => {
  it('sort by what people look at first', () => {
    expect(['lr', 'train/loss', 'val/bpb', 'val/loss', 'zzz/a'].sort(compareMetrics)).toEqual([
      'val/loss',
      'val/bpb',
      'train/loss',
      'lr',
      'zzz/a',
    ]);
    expect(sectionOf('val/loss')).toBe('val');
    expect(sectionOf('lr')).toBe('run');
  });
});

describe('runs of the same setting and seed', () => {
  const run = (
    id: string,
    settingKey: string,
    seed: number,
    state: 'finished' | 'failed' | 'running' = 'finished',
  ) => ({
    id,
    settingKey,
    seed,
    state,
    sweepId: 's',
  });
  const ids = (...runs: ReturnType<typeof run>[]): string[] => distinctSeeds(runs).map(({ id }) => id);
  it('count once, the last that finished; other seeds and settings stay', () => {
    expect(ids(run('a', 'x', 1), run('b', 'x', 2), run('c', 'y', 1), run('d', 'x', 1))).toEqual(['b', 'c', 'd']);
  });
  it('a rerun that failed or still trains does not replace one that finished', () => {
    expect(ids(run('a', 'x', 1), run('b', 'x', 1, 'failed'), run('c', 'x', 1, 'running'))).toEqual(['a']);
    expect(ids(run('a', 'x', 1, 'failed'), run('b', 'x', 1, 'running'))).toEqual(['b']);
  });
});
