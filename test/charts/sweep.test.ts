import { describe, expect, it } from 'vitest';
import { random as seeded, SEED } from '../oracles/random.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { heatMap } from '../../preload/charts/sweep/heatmap.ts';
import {
  configDifference,
  differingSettings,
  groupBySettings,
  labelOf,
  valuesOf,
} from '../../preload/shared/results/groups.ts';
import type { SweepRun } from '../../preload/shared/results/samples.ts';
import { trendModel } from '../../preload/charts/board/trendModel.ts';
import { trendOf } from '../../preload/charts/sweep/trend.ts';
import type { RunRecord } from '../../preload/contract/runs.ts';

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
    summary: { 'val/loss': loss, 'val/accuracy': loss === null ? null : 1 / loss },
    startedAt: 1,
    trained: 10_000,
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

describe('heat map and trend', () => {
  it('average over the rest, say over what and over how many', () => {
    const runs = sweep().concat([1, 2].map((seed) => run({ depth: 1, width: 32, lr: 9, seed }, 3)));
    const map = heatMap(runs, 'val/loss', 'depth', 'width', 'mean', 'minimize');
    const cell = map.cells.find(({ column, row }) => column === 0 && row === 0)!;
    expect(cell.metric.n).toBe(4);
    expect(cell.runs).toHaveLength(4);
    expect(cell.value).toBeCloseTo((2.2 + 2.3 + 3 + 3) / 4, 12);
    expect(map.averaged).toEqual(['lr']);
    // One cell is over two values of lr, the others over one.
    expect(map.unbalanced).toEqual(['lr']);
    expect(heatMap(sweep(), 'val/loss', 'depth', 'width', 'mean', 'minimize')).toMatchObject({
      averaged: [],
      unbalanced: [],
    });
    const failed = map.cells.find(({ column, row }) => column === 1 && row === 1)!;
    expect(failed.value).toBeNaN();
    expect(failed.states.failed).toBe(1);
    const best = heatMap(runs, 'val/loss', 'depth', 'width', 'best', 'minimize');
    expect(best.cells.find((c) => c.column === 1 && c.row === 0)!.value).toBe(1.5);
    // With the goal turned round the best of a cell is its largest value.
    expect(heatMap(runs, 'val/loss', 'depth', 'width', 'best', 'maximize').cells[0].value).toBe(3);
  });
  it('a heat map of drawn numbers puts neighbours into one place (would catch a cell for each draw)', () => {
    const random = seeded(SEED);
    const settings = Array.from({ length: 60 }, () => ({ lr: 10 ** (-4 + 3 * random()), dropout: random() / 2 }));
    const runs = settings.flatMap((values) => [1, 2].map((seed) => run({ ...values, depth: 1, seed }, values.lr)));
    const map = heatMap(runs, 'val/loss', 'lr', 'dropout', 'mean', 'minimize');
    for (const names of [map.columns, map.rows]) expect(names.length).toBeLessThanOrEqual(8);
    expect(map.cells.reduce((sum, { runs: here }) => sum + here.length, 0)).toBe(120);
    for (const { column, runs: here } of map.cells) {
      const [low, high = low] = String(map.columns[column]).split(' – ').map(Number);
      for (const { config } of here) {
        // Three digits are shown.
        expect(config.lr).toBeGreaterThanOrEqual(low * 0.99);
        expect(config.lr).toBeLessThanOrEqual(high * 1.01);
      }
    }
    expect(map.averaged).toEqual(['dropout', 'lr']);
    expect(map.unbalanced).toEqual([]);
    // Places are in the order of their numbers, and as wide as factors of the rate.
    const begins = map.columns.map((name) => Number.parseFloat(String(name)));
    expect(begins).toEqual(begins.toSorted((a, b) => a - b));
    // A grid keeps a place for each of its values, however many.
    const grid = Array.from({ length: 15 }, (_, i) => i).flatMap((lr) =>
      Array.from({ length: 15 }, (_, dropout) => run({ lr, dropout, depth: 1, seed: 1 }, lr)),
    );
    expect(heatMap(grid, 'val/loss', 'lr', 'dropout', 'mean', 'minimize').columns).toHaveLength(15);
  });
  it('a trend has one line per other value, and tells where nothing ended with a number (would catch a setting that vanishes)', () => {
    const { lines, numeric } = trendOf(sweep(), 'val/loss', 'depth', ['width']);
    expect(numeric).toBe(true);
    expect(lines.map(({ values, points }) => [values['width'], points.map(({ x, metric }) => [x, metric.n])])).toEqual([
      [
        32,
        [
          [1, 2],
          [2, 2],
        ],
      ],
      [
        64,
        [
          [1, 2],
          [2, 0],
        ],
      ],
    ]);
  });
  it('a picture of it marks failed values at their x, draws means of survivors hollow, and says over what they are', () => {
    const options = {
      metrics: ['val/loss'],
      setting: 'depth',
      band: 'sd',
      yLog: false,
      yLabel: '',
      color: () => '',
    } as const;
    const survivors = [
      run({ depth: 1, width: 32, seed: 1 }, 2),
      run({ depth: 1, width: 32, seed: 2 }, 3),
      run({ depth: 2, width: 32, seed: 1 }, 1),
      run({ depth: 2, width: 32, seed: 2 }, 9, { state: 'failed' }),
      run({ depth: 9, width: 32, seed: 1 }, 1, { state: 'failed' }),
      run({ depth: 9, width: 32, seed: 2 }, 1, { state: 'failed' }),
    ] as RunRecord[];
    const { lines, absent, x, notes } = trendModel({ ...options, runs: survivors, lines: [] });
    expect(absent).toEqual([{ x: 9, label: '2 of 2 failed' }]);
    expect(x.max).toBeGreaterThanOrEqual(9);
    expect([[...lines[0].n!], [...lines[0].planned!]]).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(notes).toEqual(['mean over seeds, ± sd (n − 1)', 'hollow: some runs have no number']);
    // Nine runs of three widths are no nine seeds.
    const widths = sweep().slice(0, 6) as RunRecord[];
    const mixed = trendModel({ ...options, runs: widths, lines: [] });
    expect(mixed.notes[0]).toBe('mean over seeds and width, ± sd (n − 1)');
    expect(mixed.notes.at(-1)).toBe('not balanced: points have unequal shares of width');
    expect(trendModel({ ...options, runs: survivors.slice(0, 1), lines: [] }).notes).toEqual([]);
  });
});
