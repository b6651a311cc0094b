/** From a chart's description to what is drawn. */
import { describe, expect, it } from 'vitest';
import type { Series } from '../../preload/contract/metrics.ts';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import type { RunRecord } from '../../preload/contract/runs.ts';
import { chartPanels, labelOfChart, placeOf, strokesOf, titleOf } from '../../preload/charts/board/chartModel.ts';
import type { ChartInput } from '../../preload/charts/board/chartModel.ts';
import { MOST_METRICS } from '../../preload/charts/board/chartSpec.ts';
import type { ChartSpec } from '../../preload/charts/board/chartSpec.ts';
import type { BoardGroup } from '../../preload/charts/board/groups.ts';
import type { LineModel } from '../../preload/charts/draw/model.ts';
import { DASHES } from '../../preload/charts/draw/curveItems.ts';
import { LiveCurve } from '../../preload/charts/data/live.ts';

const catalog = metricCatalog();
const curve = (...values: number[]): LiveCurve => {
  const value = Float64Array.from(values);
  const series: Series = {
    step: Float64Array.from(values, (_, i) => i),
    value,
    min: value,
    max: value,
    nonFinite: new Uint32Array(values.length),
    bucket: 1,
    points: values.length,
  };
  return new LiveCurve(series);
};
const run = (id: string, lr: number, seed: number, summary: Record<string, number>): RunRecord =>
  ({
    id,
    name: id,
    seed,
    config: { 'optimizer.lr': lr, seed },
    settingKey: String(lr),
    sweepId: 's',
    state: 'finished',
    summary,
    createdAt: 0,
  }) as unknown as RunRecord;
const runs = [
  run('a', 0.001, 1, { 'val/loss': 2, 'train/loss': 1 }),
  run('b', 0.001, 2, { 'val/loss': 4, 'train/loss': 3 }),
  run('c', 0.01, 1, { 'val/loss': 5, 'train/loss': 9 }),
];
const group = (lr: number, ...ids: string[]): BoardGroup => ({
  id: `group:${lr}`,
  label: `lr ${lr}`,
  values: `${lr}`,
  color: '#123456',
  runs: ids,
  members: runs.filter(({ id }) => ids.includes(id)),
});
const CURVES: Readonly<Record<string, LiveCurve>> = {
  'val/loss a': curve(4, 2),
  'val/loss b': curve(6, 4),
  'val/loss c': curve(8, 5),
  'train/loss a': curve(3, 1),
  'train/loss b': curve(5, 3),
  'train/loss c': curve(9, 9),
};
const chart: ChartSpec = { id: 'val/loss', kind: 'lines', metrics: ['val/loss', 'train/loss'] };
const input = (change: Partial<ChartInput> = {}, facet = ''): ChartInput => ({
  chart,
  look: { x: 'step', xLog: false, yLog: false, smoothing: 0, outliers: false },
  range: undefined,
  curve: (metric, id) => CURVES[`${metric} ${id}`],
  board: {
    groups: [group(0.001, 'a', 'b'), group(0.01, 'c')],
    final: runs,
    catalog,
    settings: ['optimizer.lr'],
    coloring: { of: () => '#123456' },
    state: { band: 'sd', groupBy: 'setting', facet },
    references: (metric) => [
      { value: 1, label: 'entropy of the text' },
      ...(metric === 'train/loss' ? [{ value: 2, label: 'of the training text' }] : []),
    ],
  },
  ...change,
});

describe('a chart of two metrics', () => {
  it('has a line per group and metric, each the mean of its own values (would catch one metric drawn twice)', () => {
    const [{ model }] = chartPanels(input()).panels;
    expect(model.lines.map(({ label, y, n, dash }) => [label, [...y], [...n!], dash])).toEqual([
      ['lr 0.001 · val/loss', [5, 3], [2, 2], undefined],
      ['lr 0.01 · val/loss', [8, 5], [1, 1], undefined],
      ['lr 0.001 · train/loss', [4, 2], [2, 2], 1],
      ['lr 0.01 · train/loss', [9, 9], [1, 1], 1],
    ]);
    expect(model.y.label).toBe('val/loss and train/loss (nats/token)');
  });

  it('knows which end is better, as the runs are ranked (catches the worst accuracy that is named first)', () => {
    const better = (change: Partial<ChartInput>) => chartPanels(input(change)).panels[0].model.higherBetter;
    const accuracy: ChartSpec = { id: 'val/accuracy', kind: 'lines', metrics: ['val/accuracy'] };
    expect(better({})).toBeUndefined();
    expect(better({ chart: accuracy })).toBe(true);
    expect(better({ chart: { ...accuracy, metrics: ['val/accuracy', 'val/loss'] } })).toBeUndefined();
    const target = { name: 'val/loss', goal: 'maximize' } as const;
    const board = { ...input().board, target };
    expect(better({ board, chart: { ...accuracy, metrics: ['val/loss'] } })).toBe(true);
  });

  it('names a floor that both share once', () => {
    const [{ model }] = chartPanels(input()).panels;
    expect(model.references.map(({ value }) => value)).toEqual([1, 2]);
  });

  it('against a setting has a trend of each', () => {
    const look = { ...input().look, x: 'setting:optimizer.lr' };
    const [{ model }] = chartPanels(input({ look })).panels;
    expect(model.lines.map(({ label, x, y }) => [label, [...x], [...y]])).toEqual([
      ['val/loss', [0.001, 0.01], [3, 5]],
      ['train/loss', [0.001, 0.01], [2, 9]],
    ]);
    expect(new Set(model.lines.map(({ id }) => id)).size).toBe(2);
  });

  it('is split into facets, each with both', () => {
    const { panels, left } = chartPanels(input({}, 'optimizer.lr'));
    expect(panels.map(({ title, model }) => [title, model.lines.length])).toEqual([
      ['lr 0.001', 2],
      ['lr 0.01', 2],
    ]);
    expect(left).toBe(0);
    expect(panels[0].model.y).toEqual(panels[1].model.y);
  });
});

describe('runs that diverged, by their state', () => {
  const of = (endReason: string, groupBy: 'none' | 'setting'): LineModel => {
    const { board, ...rest } = input();
    const ended = runs.map((each) => (each.id === 'c' ? { ...each, state: 'failed' as const, endReason } : each));
    return chartPanels({
      ...rest,
      chart: { ...chart, metrics: ['train/loss'] },
      look: { ...rest.look, outliers: true },
      board: { ...board, final: ended, state: { ...board.state, groupBy } },
    }).panels[0].model;
  };
  it.each(['none', 'setting'] as const)('do not widen a frame, and are counted (grouped by %s)', (groupBy) => {
    const { y, outside } = of('diverged: train/loss is NaN at step 2', groupBy);
    // The others go from 5 (their mean from 4) to 1 (2).
    expect(y.max).toBeLessThan(7);
    expect(outside.join()).toContain('2 values of 1 line above the frame, up to 9');
    expect(of('engine crashed: SIGKILL', groupBy).y.max).toBeGreaterThan(9);
  });
});

describe('names', () => {
  it('of charts say their metrics, and the unit where all share it', () => {
    const of = (...metrics: string[]): [string, string] => {
      const spec: ChartSpec = { ...chart, metrics };
      return [titleOf(spec, catalog), labelOfChart(spec, catalog)];
    };
    expect(of('val/loss')).toEqual(['val/loss', 'val/loss (nats/token)']);
    expect(of('val/loss', 'val/bpb')).toEqual(['val/loss and val/bpb', 'val/loss and val/bpb']);
    expect(of('lr', 'a', 'b')).toEqual(['lr, a and b', 'lr, a and b']);
  });

  it('of strokes say what is what, one for each metric that a chart can have', () => {
    const names = Array.from({ length: MOST_METRICS }, (_, i) => `m${i}`);
    const words = strokesOf({ ...chart, metrics: names }, catalog).split(' · ');
    expect(words[1]).toBe('dashed: m1');
    expect(new Set(words.map((each) => each.split(':')[0])).size).toBe(MOST_METRICS);
    expect(strokesOf({ ...chart, metrics: ['a'] }, catalog)).toBe('');
    expect(new Set(DASHES.map((dash) => dash.join())).size).toBe(MOST_METRICS);
  });

  it('of an x say what is read', () => {
    expect(placeOf('step', catalog)).toEqual({ metric: undefined, setting: undefined, label: 'step' });
    expect(placeOf('tokens', catalog)).toMatchObject({ metric: 'tokens', label: 'tokens' });
    expect(placeOf('flops', catalog)).toMatchObject({ metric: 'flops', label: 'training FLOPs' });
    expect(placeOf('relative', catalog)).toMatchObject({ metric: 'seconds', label: 'seconds since the start' });
    expect(placeOf('setting:a.b', catalog)).toEqual({ metric: null, setting: 'a.b', label: 'a.b' });
  });
});
