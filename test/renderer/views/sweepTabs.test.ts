/** The tabs of a sweep: what their charts are told, and that each is in the list. */
import { readdirSync, readFileSync } from 'node:fs';
import type { HeatmapSeriesOption, ParallelSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { formatDuration } from '../../../preload/shared/format.ts';
import type { SweepRun } from '../../../preload/shared/results/samples.ts';
import { metricCatalog } from '../../../main/engine/train/measures/index.ts';
import { rankSettings } from '../../../preload/shared/results/rank.ts';
import type { Ranking } from '../../../preload/shared/results/rank.ts';
import type { ChartOption } from '../../../preload/charts/draw/echarts.ts';
import { mainEffects } from '../../../preload/charts/stats/importance.ts';
import { heatMap } from '../../../preload/charts/sweep/heatmap.ts';
import { heatOption } from '../../../preload/charts/sweep/heatOption.ts';
import { parallelOption } from '../../../preload/charts/sweep/parallelOption.ts';
import { inside, paretoOption, placed } from '../../../preload/charts/sweep/paretoOption.ts';
import { usualAxes } from '../../../preload/charts/sweep/usualAxes.ts';
import type { Cost } from '../../../preload/charts/sweep/paretoOption.ts';

const theme = {
  surface: '#fff',
  line: '#ccc',
  text: '#111',
  muted: '#666',
  accent: '#00f',
  bad: '#f00',
  font: 'x',
};
const look = { theme, surface: 'light' } as const;
let count = 0;
const run = (config: Config, seed: number, loss: number | null, seconds = 10): SweepRun => ({
  id: `r${count++}`,
  name: 'run',
  config: { ...config, seed },
  seed,
  settingKey: JSON.stringify(config),
  state: loss === null ? 'failed' : 'finished',
  summary: { 'val/loss': loss, 'val/accuracy': loss === null ? null : 1 / loss },
  startedAt: 1,
  trained: 1000 * seconds,
});
const runs = [
  ...[1, 2].map((seed) => run({ width: 32, norm: 'layernorm' }, seed, 3 + seed / 10, 10)),
  ...[1, 2].map((seed) => run({ width: 64, norm: 'layernorm' }, seed, 1 + seed / 10, 30)),
  run({ width: 32, norm: 'rmsnorm' }, 1, 2.1, 20),
  run({ width: 32, norm: 'rmsnorm' }, 2, null, 20),
  run({ width: 64, norm: 'rmsnorm' }, 1, null, 40),
];
const catalog = metricCatalog();
const rank = (metric: string, goal: Ranking['goal'] = 'minimize'): Ranking =>
  rankSettings(runs, { metric: catalog.get(metric), goal }).groups[0];
const ranking = rank('val/loss');
const only = <T>(value: T | readonly T[] | undefined): T => (Array.isArray(value) ? value[0] : value) as T;
const tipOf = (option: ChartOption, params: object): string =>
  (only(option.tooltip)!.formatter as (given: object) => string)(params);

describe('parallel coordinates', () => {
  const option = parallelOption(ranking, look);
  const [series] = option.series as ParallelSeriesOption[];
  it('draw the best last and widest, means of fewer seeds dashed, and leave out what has no number', () => {
    const lines = series.data as { value: unknown[]; lineStyle: { width: number; type: unknown } }[];
    expect(lines.map(({ value }) => value.slice(0, 2))).toEqual([
      ['rmsnorm', 32],
      ['layernorm', 32],
      ['layernorm', 64],
    ]);
    expect(lines.map(({ lineStyle }) => lineStyle.width)).toEqual([1.6, 1.6, 3]);
    expect(lines.map(({ lineStyle }) => lineStyle.type)).toEqual([[5, 4], 'solid', 'solid']);
    expect(tipOf(option, { dataIndex: 2 })).toMatch(
      /^norm layernorm · width 64\nval\/loss 1\.15\d* ± .* {2}N 2\nbest\n/u,
    );
    expect(tipOf(option, { dataIndex: 0 })).toContain('N 1 of 2 (1 failed)\nundecided');
  });
  it('have the best at the top, whichever direction that is (would catch an axis upside down)', () => {
    const metricAxis = (each: ChartOption) => (each.parallelAxis as { inverse?: boolean; name?: string }[]).at(-1)!;
    expect(metricAxis(option)).toMatchObject({ name: 'val/loss', inverse: true });
    expect(metricAxis(parallelOption(rank('val/accuracy', 'maximize'), look)).inverse).toBe(false);
  });
});

const seriesOf = (option: ChartOption) => {
  const [drawn, empty] = option.series as [HeatmapSeriesOption, ScatterSeriesOption];
  type Cells = { value: unknown[]; label: { show: boolean; formatter: string } }[];
  return [drawn.data as Cells, empty.data as Cells];
};

describe('the heat map', () => {
  const map = heatMap(runs, 'val/loss', 'width', 'norm', 'mean', 'minimize');
  const option = heatOption(map, 'minimize', ['width', 'norm'], look, 900, 'mean');
  it('says mean and N in each cell, and what became of one without a number', () => {
    const [cells, empty] = seriesOf(option);
    expect(cells.map(({ value, label }) => [...value.slice(0, 2), label.formatter.split('\n').at(-1)])).toEqual([
      [0, 0, 'N 2'],
      [0, 1, 'N 1 of 2'],
      [1, 0, 'N 2'],
    ]);
    // Apart from the others: a heat map leaves out what has no number, words and all.
    expect(empty).toMatchObject([{ value: [1, 1], label: { formatter: '1 of 1 failed' } }]);
    expect(tipOf(option, { dataIndex: 1 })).toMatch(/N 1\nbest 2\.1\d*\n1 failed$/u);
    expect(tipOf(option, { dataIndex: 0, seriesName: 'without a number' })).toBe('width 64 · norm rmsnorm\n1 failed');
    const narrow = seriesOf(heatOption(map, 'minimize', ['width', 'norm'], look, 200, 'mean'));
    expect(narrow.flat().every(({ label }) => !label.show)).toBe(true);
  });
});

describe('a heat map with holes', () => {
  it('says that a combination is not in the sweep (would catch a white cell that looks like a failure)', () => {
    const some = runs.filter(({ config }) => !(config['width'] === 64 && config['norm'] === 'rmsnorm'));
    const map = heatMap(some, 'val/loss', 'width', 'norm', 'mean', 'minimize');
    const option = heatOption(map, 'minimize', ['width', 'norm'], look, 900, 'mean');
    const [cells, empty] = seriesOf(option);
    expect(cells).toHaveLength(3);
    expect(empty).toMatchObject([{ value: [1, 1], label: { formatter: 'not in the sweep' } }]);
    expect(tipOf(option, { dataIndex: 0, seriesName: 'without a number' })).toBe(
      'width 64 · norm rmsnorm\nnot in this sweep',
    );
  });
  it('begins with the settings that matter most (would catch axes by the alphabet)', () => {
    const configs = [1, 2, 3].flatMap((b) => [1, 2].flatMap((a) => [1, 2].map((c) => ({ a, b, c }))));
    const loss = configs.map(({ a, b, c }) => 0.1 * a + 3 * b + c);
    expect(mainEffects(configs, loss, ['a', 'b', 'c'])).toEqual(['b', 'c', 'a']);
    expect(
      mainEffects(
        configs,
        loss.map(() => Number.NaN),
        ['a', 'b', 'c'],
      ),
    ).toEqual(['a', 'b', 'c']);
  });
});

describe('the trend', () => {
  const random = Array.from({ length: 16 }, (_, i) => ({
    config: { width: i % 2 === 0 ? 32 : 64, lr: 0.001 * 1.17 ** i, norm: i % 3 === 0 ? 'a' : 'b' },
  }));
  it('begins with the drawn number along x and the fewest lines (catches sixteen lines of one point each)', () => {
    expect(usualAxes(['width', 'lr'], random)).toEqual({ x: 'lr', lines: 'width' });
    expect(usualAxes(['norm', 'lr'], random)).toEqual({ x: 'lr', lines: 'norm' });
    expect(usualAxes(['norm', 'width'], random)).toEqual({ x: 'width', lines: 'norm' });
    expect(usualAxes(['lr'], random)).toEqual({ x: 'lr', lines: '' });
    expect(usualAxes(['norm'], random)).toEqual({ x: 'norm', lines: '' });
    const both = random.map(({ config }, i) => ({ config: { ...config, decay: 0.3 / (i + 1) } }));
    expect(usualAxes(['lr', 'decay'], both)).toEqual({ x: 'lr', lines: '' });
  });
});

describe('the front', () => {
  const cost: Cost = { value: 'time', label: 'time', of: (row) => row.seconds.mean, format: (value) => `${value} s` };
  it('marks the settings that none beats in both, by the goal, and lets fewer seeds beat nobody', () => {
    const option = paretoOption(ranking, cost, look, 900);
    const [, points] = option.series as [unknown, ScatterSeriesOption];
    const marked = (points.data as { value: number[]; itemStyle: { color: string } }[]).map(({ value, itemStyle }) => [
      value[0],
      itemStyle.color,
    ]);
    // From the best: dear and good, cheap and bad, and hollow what lacks a seed.
    expect(marked).toEqual([
      [30, theme.accent],
      [10, theme.accent],
      [20, theme.surface],
    ]);
    const flat: Cost = { ...cost, of: () => 5 };
    const same = paretoOption(ranking, flat, look, 900).series as [unknown, ScatterSeriesOption];
    expect((same[1].data as { itemStyle: { color: string } }[]).map(({ itemStyle }) => itemStyle.color)).toEqual([
      theme.accent,
      theme.muted,
      theme.surface,
    ]);
    expect(placed(ranking, cost).map((row) => row.values['norm'])).toEqual(['layernorm', 'layernorm', 'rmsnorm']);
    expect(tipOf(option, { dataIndex: 2, seriesName: 'settings' })).toContain('time 20 s');
  });

  it('has ticks of costs that lie close together apart (would catch 2.5 s, 2.5 s, 2.6 s)', () => {
    const close = {
      ...cost,
      unit: 's',
      of: (row: Ranking['rows'][number]) => 2.4 + row.metric.mean / 20,
      format: formatDuration,
    };
    const { axisLabel } = only(paretoOption(ranking, close, look, 900).xAxis) as {
      axisLabel: { customValues: number[]; formatter: (value: number) => string };
    };
    const labels = axisLabel.customValues.map(axisLabel.formatter);
    expect(labels.length).toBeGreaterThan(3);
    expect(new Set(labels).size, labels.join()).toBe(labels.length);
    for (const label of labels) expect(label).toMatch(/^2\.\d+\u00A0s$/u);
  });

  it('keeps long names at its edges inside (catches one that begins before the chart does)', () => {
    expect(inside({ x: -60, width: 200 }, 900)).toBe(64);
    expect(inside({ x: 800, width: 200 }, 900)).toBe(-104);
    expect(inside({ x: 300, width: 200 }, 900)).toBe(0);
    expect(inside({ x: -20, width: 1200 }, 900)).toBe(24);
  });

  it('shows the spread of each mean along both axes (would catch points that look certain)', () => {
    const spread = { ...cost, spread: () => 2 };
    const option = paretoOption(ranking, spread, look, 900);
    const bars = (option.series as unknown[]).at(-1) as {
      data: readonly number[][];
      renderItem: (params: object, api: object) => { children: { shape: Record<'x1' | 'x2' | 'y1' | 'y2', number> }[] };
    };
    const drawn = bars.data.map((_, dataIndex) =>
      bars
        .renderItem({ dataIndex, coordSys: { x: 0 } }, { coord: (at: number[]) => at })
        .children.map(({ shape: { x1, x2, y1, y2 } }) => [x2 - x1, y2 - y1]),
    );
    const sd = Math.SQRT1_2 / 10;
    const both = [
      [expect.closeTo(0, 9), expect.closeTo(2 * sd, 9)],
      [expect.closeTo(4, 9), expect.closeTo(0, 9)],
    ];
    // One seed has no spread.
    expect(drawn).toEqual([both, both, []]);
    const { min, max } = only(option.xAxis) as { min: number; max: number };
    expect([min < 8, max > 32]).toEqual([true, true]);
    expect(tipOf(option, { dataIndex: 0, seriesName: 'settings' })).toContain('time 30 s ± 2 s');
  });
});

describe('the list', () => {
  it('holds every folder (would catch a tab that nobody can open)', () => {
    const folder = new URL('../../../renderer/views/sweep/tabs/', import.meta.url);
    const text = readFileSync(new URL('index.ts', folder), 'utf8');
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan(3);
    for (const { name } of folders) {
      expect(text, name).toContain(`from './${name}/index.ts'`);
      // The address says the folder's name.
      expect(readFileSync(new URL(`${name}/index.ts`, folder), 'utf8'), name).toContain(`id: '${name}'`);
    }
  });
});
