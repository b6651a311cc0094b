/** What charts are, as saved and as changed. */
import { describe, expect, it } from 'vitest';
import { defaultState, stateFromText, stateText, unpackState } from '../../preload/charts/board/boardState.ts';
import {
  chartOfMetric,
  chartsOf,
  isOwn,
  lookOf,
  MOST_METRICS,
  newChartId,
  withChart,
} from '../../preload/charts/board/chartSpec.ts';
import type { ChartSpec } from '../../preload/charts/board/chartSpec.ts';

const loss = chartOfMetric('val/loss');

describe('saved charts', () => {
  it('of layouts that knew a chart by its metric keep their choices (would catch pins and own axes lost by an update)', () => {
    // As written before a chart could have several metrics.
    const old = {
      x: 'tokens',
      charts: {
        'val/loss': { pinned: true, x: 'seconds', xLog: true, smoothing: 0.4 },
        'train/loss': { hidden: true, large: 'yes', smoothing: 4, strange: 1 },
        'grad/norm': { pinned: false },
      },
    };
    const state = unpackState(old);
    expect(state.x).toBe('tokens');
    expect(state.charts).toEqual([
      { id: 'val/loss', kind: 'lines', metrics: ['val/loss'], x: 'seconds', xLog: true, smoothing: 0.4, pinned: true },
      { id: 'train/loss', kind: 'lines', metrics: ['train/loss'], hidden: true },
    ]);
    expect(stateFromText(JSON.stringify(old))).toEqual(state);
  });

  it('come back from the address as they were', () => {
    const own: ChartSpec = { id: 'chart:1', kind: 'lines', metrics: ['val/loss', 'train/loss'], yLog: true };
    const state = { ...defaultState(), charts: [{ ...loss, pinned: true }, own] };
    expect(stateFromText(stateText(state))).toEqual(state);
  });

  it.each([
    ['no list', 7],
    ['nothing', null],
    [
      'charts without an id, of an unknown kind, without metrics',
      [
        { kind: 'lines', metrics: ['a'] },
        { id: 'x', kind: 'hologram', metrics: ['a'] },
        { id: 'y', kind: 'lines', metrics: [] },
        { id: 'z', kind: 'lines', metrics: [3, null] },
        null,
        'text',
      ],
    ],
  ])('that cannot be read are left out: %s', (_what, saved) => expect(chartsOf(saved)).toEqual([]));

  it('have each metric once, not more than can be told apart, and each id once', () => {
    const many = Array.from({ length: 20 }, (_, i) => `m${i % 15}`);
    const [first, ...others] = chartsOf([
      { id: 'a', kind: 'lines', metrics: ['x', ...many] },
      { id: 'a', kind: 'lines', metrics: ['y'] },
    ]);
    expect(others).toEqual([]);
    expect(first.metrics).toHaveLength(MOST_METRICS);
    expect(new Set(first.metrics).size).toBe(MOST_METRICS);
  });
});

describe('changing a chart', () => {
  it('adds it to the layout, and takes it out again when nothing is left of the change (would catch an address that grows)', () => {
    const pinned = withChart([], loss, { pinned: true });
    expect(pinned).toEqual([{ ...loss, pinned: true }]);
    const both = withChart(pinned, pinned[0], { metrics: ['val/loss', 'train/loss'] });
    expect(both).toEqual([{ ...loss, metrics: ['val/loss', 'train/loss'], pinned: true }]);
    const back = withChart(both, both[0], { metrics: ['val/loss'], pinned: false });
    expect(back).toEqual([]);
  });

  it('keeps a "no" that contradicts the board (would catch a chart that follows the board against its own setting)', () => {
    const [chart] = withChart([], loss, { yLog: false });
    expect(chart).toEqual({ ...loss, yLog: false });
    expect(lookOf({ ...defaultState(), yLog: true }, chart).yLog).toBe(false);
    expect(withChart([chart], chart, { yLog: undefined })).toEqual([]);
  });

  it('leaves the others and their order alone', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name): ChartSpec => ({ ...chartOfMetric(name), pinned: true }));
    expect(withChart([a, b, c], b, { large: true }).map(({ id, large }) => [id, large])).toEqual([
      ['a', undefined],
      ['b', true],
      ['c', undefined],
    ]);
    expect(withChart([a, b, c], b, { pinned: false }).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('a chart that someone made stays, however plain, under an id of its own', () => {
    const own: ChartSpec = { id: newChartId([loss]), kind: 'lines', metrics: ['val/loss'] };
    expect([own.id, isOwn(own), isOwn(loss)]).toEqual(['chart:1', true, false]);
    expect(withChart([own], own, { pinned: false })).toEqual([own]);
    expect(newChartId([own, { ...own, id: 'chart:7' }, { ...own, id: 'chart:x' }])).toBe('chart:8');
  });
});

describe('the look of a chart', () => {
  it('is the board’s, but for its own choices; an own x has its own logarithm', () => {
    const board = { ...defaultState(), xLog: true, smoothing: 0.5 };
    expect(lookOf(board, { x: 'tokens', xLog: true }).xLog).toBe(true);
    expect(lookOf(board, {})).toEqual({ x: 'step', xLog: true, yLog: false, smoothing: 0.5, outliers: true });
    expect(lookOf(board, { x: 'tokens', smoothing: 0 })).toMatchObject({ x: 'tokens', xLog: false, smoothing: 0 });
  });
});
