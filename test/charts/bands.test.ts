/** Means and bands of a chart, from curves to drawn numbers, against figures calculated by hand. */
import { describe, expect, it } from 'vitest';
import { LiveCurve } from '../../preload/charts/data/live.ts';
import { lineModel } from '../../preload/charts/data/lineModel.ts';
import type { LineModelOptions } from '../../preload/charts/data/lineModel.ts';
import type { Band } from '../../preload/shared/statistics/describe.ts';

const curve = (step: number[], value: number[]): LiveCurve => {
  const values = Float64Array.from(value);
  return new LiveCurve(
    {
      step: Float64Array.from(step),
      value: values,
      min: values,
      max: values,
      nonFinite: new Uint32Array(step.length),
      bucket: 1,
      points: step.length,
    },
    undefined,
  );
};
function drawn(curves: Record<string, LiveCurve>, band: Band, more: Partial<LineModelOptions> = {}) {
  const { lines } = lineModel({
    groups: [{ id: 'g', label: 'g', color: '', runs: Object.keys(curves) }],
    grouped: true,
    metrics: ['loss'],
    curve: (_metric, run) => curves[run],
    band,
    smoothing: 0,
    xLabel: 'step',
    yLabel: 'loss',
    xLog: false,
    yLog: false,
    clipOutliers: false,
    ...more,
  });
  const [line] = lines;
  const at = (x: number) => {
    const i = line.x.indexOf(x);
    return { mean: line.y[i], low: line.low?.[i], high: line.high?.[i], n: line.n?.[i] };
  };
  return { line, at };
}

// Three seeds at step 10: 2, 4, 9. Mean 5, squares 9 + 1 + 16 = 26, sd = √13 = 3.605551, se = √13 / √3 = 2.081666,
// t(0.975, 2) = 4.302653, so the half-width of the interval is 8.956686.
const three = { a: curve([10, 20], [2, 1]), b: curve([10, 20], [4, 1]), c: curve([10, 20], [9, 4]) };

describe('the band of three seeds', () => {
  it.each([
    ['sd', 5 - 3.605551, 5 + 3.605551],
    ['se', 5 - 2.081666, 5 + 2.081666],
    ['ci95', 5 - 8.956686, 5 + 8.956686],
    ['minmax', 2, 9],
  ] as const)('%s', (band, low, high) => {
    const now = drawn(three, band).at(10);
    expect(now.mean).toBe(5);
    expect(now.low).toBeCloseTo(low, 5);
    expect(now.high).toBeCloseTo(high, 5);
    expect(now.n).toBe(3);
  });
});

describe('runs with points at different x', () => {
  // a: 4 at 0, 2 at 10. b: 3 at 5, 1 at 15. Between its points a run is a straight line; outside it is not.
  const curves = { a: curve([0, 10], [4, 2]), b: curve([5, 15], [3, 1]) };
  it('meet where both are: at 5 that is 3 and 3, at 10 it is 2 and 2', () => {
    const { at } = drawn(curves, 'sd');
    expect(at(5)).toEqual({ mean: 3, low: 3, high: 3, n: 2 });
    expect(at(10)).toEqual({ mean: 2, low: 2, high: 2, n: 2 });
  });
  it('are not held beyond their ends: there the mean is that of the other, N is 1 and there is no band', () => {
    const { at } = drawn(curves, 'sd');
    expect(at(0)).toMatchObject({ mean: 4, n: 1, low: Number.NaN });
    expect(at(15)).toMatchObject({ mean: 1, n: 1, high: Number.NaN });
  });
  it('a run that ended early does not pull the mean: 1 after step 10, not (2 + 1) / 2', () => {
    const { at } = drawn({ short: curve([0, 10], [4, 2]), long: curve([0, 10, 20], [4, 2, 1]) }, 'se');
    expect(at(20)).toMatchObject({ mean: 1, n: 1 });
  });
});

describe('smoothing', () => {
  it('is the debiased average: with weight 0.5 of 4, 2, 2 it is 4, (0.25 · 4 + 0.5 · 2) / 0.75, (0.125 · 4 + 0.25 · 2 + 0.5 · 2) / 0.875', () => {
    const { line } = drawn({ a: curve([1, 2, 3], [4, 2, 2]) }, 'none', { smoothing: 0.5, grouped: false });
    expect([...line.y]).toEqual([4, expect.closeTo(2 / 0.75, 12), expect.closeTo(2 / 0.875, 12)]);
    expect([...line.raw!]).toEqual([4, 2, 2]);
  });
  it('comes before the mean: seeds are smoothed, then averaged', () => {
    const { line } = drawn({ a: curve([1, 2], [4, 2]), b: curve([1, 2], [2, 2]) }, 'minmax', { smoothing: 0.5 });
    expect(line.y[1]).toBeCloseTo((2 / 0.75 + 2) / 2, 12);
    expect(line.high![1]).toBeCloseTo(2 / 0.75, 12);
  });
});

describe('the ranges', () => {
  it('leave outliers outside and count them, where they are clipped', () => {
    const values = Array.from({ length: 200 }, (_, i) => 2 + 0.1 * Math.sin(i));
    values[100] = 500;
    const options = {
      curve: () =>
        curve(
          values.map((_, i) => i + 1),
          values,
        ),
      grouped: false,
      clipOutliers: true,
      outlying: 'above' as const,
    };
    const model = lineModel({
      groups: [{ id: 'r', label: 'r', color: '', runs: ['r'] }],
      metrics: ['loss'],
      band: 'none',
      smoothing: 0,
      xLabel: 'step',
      yLabel: 'loss',
      xLog: false,
      yLog: false,
      ...options,
    });
    expect(model.y.max).toBeLessThan(3);
    expect(model.outside).toEqual(['1 value above the frame, up to 500']);
    expect(model.lines[0].y[100]).toBe(500);
  });
});

describe('curves that came without their envelopes', () => {
  const reduced = (bare: boolean): LiveCurve =>
    new LiveCurve({
      step: Float64Array.of(10, 20),
      value: Float64Array.of(2, 1),
      min: Float64Array.of(bare ? 2 : 0, 1),
      max: Float64Array.of(bare ? 2 : 5, 1),
      nonFinite: new Uint32Array(2),
      bucket: 4,
      points: 8,
      ...(bare ? { bare } : {}),
    });
  it('have the same mean and spread, and no least and most (would catch the range of means as that of values)', () => {
    const [bare, whole] = [true, false].map((without) => ({ a: reduced(without), b: curve([10, 20], [4, 1]) }));
    expect(drawn(bare, 'sd').at(10)).toEqual(drawn(whole, 'sd').at(10));
    expect(drawn(whole, 'minmax').at(10)).toMatchObject({ low: 0, high: 5 });
    expect(drawn(bare, 'minmax').at(10)).toMatchObject({ mean: 3, low: undefined, high: undefined });
    expect(drawn(bare, 'sd', { grouped: false }).at(10)).toMatchObject({ low: undefined, high: undefined });
  });
  it('go on with live points', () => {
    const live = reduced(true);
    live.append('loss', [{ metric: 'loss', steps: Float64Array.of(30), values: Float64Array.of(7) }]);
    expect([...live.curve.y]).toEqual([2, 1, 7]);
    expect([...live.curve.max]).toEqual([2, 1, 7]);
  });
});
