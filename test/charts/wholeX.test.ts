/** What of x a chart shows when nobody has chosen a part of it, and what it says of a part without points. */
import { describe, expect, it } from 'vitest';
import { withSharedAxes } from '../../preload/charts/data/facets.ts';
import { lineModel, yFrameOf } from '../../preload/charts/data/lineModel.ts';
import type { LineModelOptions } from '../../preload/charts/data/lineModel.ts';
import type { RunCurve } from '../../preload/charts/data/live.ts';
import type { LineModel } from '../../preload/charts/draw/model.ts';
import { everyPixel } from '../../preload/charts/draw/scale.ts';

const curve = (xs: readonly number[], ys: readonly number[]): RunCurve => {
  const [x, y] = [Float64Array.from(xs), Float64Array.from(ys)];
  const increasing = xs.every((v, i) => i === 0 || v > xs[i - 1]);
  const all = { x, y, min: y, max: y };
  return { curve: all, near: all, step: x, spacing: 1, bucket: 1, increasing } as unknown as RunCurve;
};
const modelOf = (curves: readonly RunCurve[], change: Partial<LineModelOptions> = {}): LineModel =>
  lineModel({
    groups: curves.map((_, i) => ({ id: `r${i}`, label: `r${i}`, color: '', runs: [`r${i}`] })),
    grouped: false,
    metrics: ['loss'],
    curve: (_, run) => curves[Number(run.slice(1))],
    band: 'none',
    smoothing: 0,
    xLabel: 'train/loss',
    yLabel: 'loss',
    xLog: false,
    yLog: false,
    clipOutliers: true,
    ...change,
  });

const usual = Array.from({ length: 50 }, (_, i) => 10 - i / 10);
const ys = usual.map((_, i) => i / 50);
const wild = usual.map((v, i) => (i === 20 ? 1e308 : v));

describe('x that is a metric', () => {
  it('is not flattened by one value of 1e308 in one run, and says what is left out', () => {
    const { x, outside } = modelOf([curve(usual, ys), curve(wild, ys)]);
    expect([x.min, x.max]).toEqual([5.1, 10]);
    expect(outside).toEqual(['1 point of 1 line left out on x, up to 1e308']);
  });
  it('says values on both sides, and of a single line no line', () => {
    const both = usual.map((v, i) => (i === 20 ? 1e308 : i === 21 ? -1e300 : v));
    expect(modelOf([curve(both, ys)]).outside).toEqual(['2 points left out on x, from −1e300 to 1e308']);
  });
  it('shows all of x where outliers shall be shown, with an axis that has a length', () => {
    const { x, outside } = modelOf([curve(usual, ys), curve(wild, ys)], { clipOutliers: false });
    expect(x.max).toBeGreaterThan(1e307);
    expect(Number.isFinite(x.max - x.min)).toBe(true);
    expect(outside).toEqual([]);
  });
  it('is as logged where a run has another unit, 1e-300 times as large', () => {
    const tiny = modelOf([
      curve(usual, ys),
      curve(
        usual.map((v) => v * 1e-300),
        ys,
      ),
    ]);
    expect([tiny.x.min, tiny.x.max]).toEqual([expect.closeTo(0, 9), 10]);
    expect(tiny.outside).toEqual([]);
  });
  it('keeps runs that are a million times as long, where x is counted', () => {
    const long = curve([1, 5e7], [1, 1]);
    const short = [1, 2, 3].map((k) =>
      curve(
        [1, 2, 3, 4, 5, 6, 7, 8].map((v) => v / k),
        [1, 1, 1, 1, 1, 1, 1, 1],
      ),
    );
    expect(modelOf([...short, long], { xExact: true }).x.max).toBe(5e7);
    expect(modelOf([...short, long]).x.max).toBe(8);
  });
  it('is shared by facets without what one of them holds alone', () => {
    const models = [usual, usual, usual, [1e308]].map((xs) => modelOf([curve(xs, ys.slice(0, xs.length))]));
    const frame = yFrameOf({ yLabel: 'loss', yLog: false, clipOutliers: true });
    const shared = withSharedAxes(models, frame);
    expect(shared.map(({ x }) => x.max)).toEqual([10, 10, 10, 10]);
    expect(shared[3].outside).toEqual(['1 point left out on x, up to 1e308']);
  });
  it('reaches pixels that are numbers (would catch a line that ends where a value is too large for a pixel)', () => {
    const scale = { min: 5, max: 10, log: false, from: 50, to: 350 };
    const points = everyPixel([6, 1e308, 7, -1e308], [1, 1, 1, 1], scale, {
      min: 0,
      max: 2,
      log: false,
      from: 200,
      to: 8,
    });
    expect([...points].every(Number.isFinite)).toBe(true);
    expect([points[2] > 1e5, points[6] < -1e5]).toEqual([true, true]);
    // Likewise up and down; what is infinite is a gap.
    const tall = { min: 0, max: 1e-3, log: false, from: 200, to: 8 };
    const high = everyPixel([6, 7, 8, Infinity], [1e308, -1e308, Infinity, 0], scale, tall);
    expect([...high].map(Number.isFinite)).toEqual([true, true, true, true, false, false, false, false]);
  });
});

describe('a part of x without points', () => {
  it('has an empty frame, whose axis bears no invented numbers', () => {
    const { lines, y, outside } = modelOf([curve([1, 2, 3], [1, 2, 3])], { xRange: { min: 5, max: 6 } });
    expect([lines.length, y.blank, outside]).toEqual([1, true, []]);
  });
  it('is not empty where a line passes through it', () => {
    expect(modelOf([curve([1, 2, 3], [1, 2, 3])], { xRange: { min: 2.2, max: 2.8 } }).y.blank).toBeUndefined();
    expect(modelOf([curve([1, 2, 3], [1, 2, 3])]).y.blank).toBeUndefined();
  });
  it('is empty, too, where no value can be drawn', () => {
    expect(modelOf([curve([1, 2], [Number.NaN, Infinity])]).y.blank).toBe(true);
    expect(modelOf([curve([1, 2], [0, -1])], { yLog: true })).toMatchObject({
      y: { blank: true },
      outside: ['2 values ≤ 0 cannot be shown on a logarithmic axis'],
    });
  });
});
