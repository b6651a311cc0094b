import { describe, expect, it } from 'vitest';
import { aggregate } from '../../preload/charts/series/aggregate.ts';
import { align } from '../../preload/charts/series/align.ts';
import { extentOf, padded } from '../../preload/charts/series/extent.ts';
import { curveOf, loggedSpacing, nearestIndex, valueAt } from '../../preload/charts/series/line.ts';
import type { Curve } from '../../preload/charts/series/line.ts';
import { smooth } from '../../preload/charts/series/smooth.ts';
import { linearTicks, logTicks } from '../../preload/charts/series/ticks.ts';
import { random, SEED } from '../oracles/random.ts';

const curve = (x: number[], y: number[]): Curve => {
  const values = Float64Array.from(y);
  return { x: Float64Array.from(x), y: values, min: values, max: values };
};

describe('smoothing', () => {
  it('on a regular grid is the debiased average of TensorBoard (would catch a start pulled towards zero)', () => {
    const y = [4, 2, 7, 1, 9, 3];
    const w = 0.6;
    let last = 0;
    const expected = y.map((value, i) => {
      last = last * w + (1 - w) * value;
      return last / (1 - w ** (i + 1));
    });
    const result = smooth(
      y.map((_, i) => 10 * i),
      y,
      { weight: w, spacing: 10 },
    );
    expected.forEach((value, i) => expect(result[i]).toBeCloseTo(value, 12));
    expect(result[0]).toBe(4);
  });
  it('does not depend on how densely a piecewise constant signal is logged (would catch a weight per point)', () => {
    const level = (x: number): number => (x <= 40 ? 5 : 1);
    const coarse = [10, 20, 30, 40, 50, 60, 70];
    const dense = Array.from({ length: 61 }, (_, i) => 10 + i);
    const a = smooth(coarse, coarse.map(level), { weight: 0.7, spacing: 10 });
    // The first point stands for one `spacing` in both.
    const b = smooth(dense, dense.map(level), { weight: 0.7, spacing: 10 });
    coarse.forEach((x, i) => expect(b[dense.indexOf(x)]).toBeCloseTo(a[i], 12));
  });
  it('keeps a constant constant at any spacing, and gaps as gaps', () => {
    const result = smooth([0, 1, 7, 8, 100], [2, 2, Number.NaN, 2, 2], { weight: 0.99, spacing: 1 });
    expect(result[2]).toBeNaN();
    for (const i of [0, 1, 3, 4]) expect(result[i]).toBeCloseTo(2, 12);
  });
  it('weight 0 changes nothing', () => {
    expect([...smooth([0, 1], [3, 8], { weight: 0, spacing: 1 })]).toEqual([3, 8]);
  });
});

describe('alignment of runs', () => {
  it('never holds an ended curve: the mean goes on with the runs that are left, and N says so', () => {
    const m = aggregate([curve([0, 10, 20], [4, 4, 4]), curve([0, 10], [2, 2])], 'sd');
    expect([...m.mean]).toEqual([3, 3, 4]);
    expect([...m.n]).toEqual([2, 2, 1]);
    expect(m.low[2]).toBeNaN();
    expect(m.low[0]).toBeCloseTo(3 - Math.SQRT2, 12);
  });
  it('interpolates each run between its own points when x differs', () => {
    const m = aggregate([curve([0, 10], [0, 10]), curve([0, 4, 10], [2, 6, 12])], 'minmax');
    expect([...m.x]).toEqual([0, 4, 10]);
    expect([...m.mean]).toEqual([1, 5, 11]);
    expect([m.low[1], m.high[1]]).toEqual([4, 6]);
  });
  it('on straight lines equals the average of the lines, whatever the x of each run', () => {
    const line = (n: number, end: number, slope: number): Curve => {
      const x = Array.from({ length: n }, (_, i) => (end * i) / (n - 1));
      return curve(
        x,
        x.map((v) => slope * v),
      );
    };
    const m = aggregate([line(1700, 90, 1), line(1500, 100, 3)], 'none');
    expect(m.x.length).toBeLessThanOrEqual(1100);
    m.x.forEach((x, i) => expect(m.mean[i]).toBeCloseTo(m.n[i] === 2 ? 2 * x : 3 * x, 8));
    expect(m.n[0]).toBe(2);
    expect(m.n.at(-1)).toBe(1);
    expect(m.x.at(-1)).toBe(100);
  });
  it('a NaN of one seed is a gap of that seed only', () => {
    const m = aggregate([curve([0, 1], [Number.NaN, 1]), curve([0, 1], [5, 3])], 'se');
    expect([...m.n]).toEqual([1, 2]);
    expect(m.mean[0]).toBe(5);
    expect(m.high[1]).toBeCloseTo(2 + 1, 12);
  });
  it('pairs points by position when x goes back and forth (a metric against a metric)', () => {
    const a = align([curve([1, 3, 2], [10, 20, 30]), curve([3, 5], [1, 2])]);
    expect(a.how).toBe('paired');
    expect([...a.x]).toEqual([2, 4, 2]);
  });
  it('a band’s minimum and maximum are those behind reduced points', () => {
    const spiky: Curve = { ...curve([0, 1], [1, 1]), max: Float64Array.of(1, 50) };
    expect(aggregate([spiky, curve([0, 1], [2, 2])], 'minmax').high[1]).toBe(50);
  });
  it('no curves, no points', () => {
    expect(aggregate([], 'sd').x).toHaveLength(0);
    expect(aggregate([curve([], [])], 'sd').runs).toBe(0);
  });
});

describe('reading a curve', () => {
  it('interpolates inside, is NaN outside', () => {
    expect(valueAt([0, 10], [1, 3], 5)).toBe(2);
    expect(valueAt([0, 10], [1, 3], 10)).toBe(3);
    expect(valueAt([0, 10], [1, 3], -1)).toBeNaN();
    expect(valueAt([0, 10], [1, 3], 11)).toBeNaN();
    expect(nearestIndex([0, 10, 20], 14)).toBe(1);
    expect(nearestIndex([], 1)).toBe(-1);
  });
  it('drops points that the x metric does not reach', () => {
    const y = Float64Array.of(1, 2, 3);
    const series = {
      step: Float64Array.of(0, 1, 2),
      value: y,
      min: y,
      max: y,
      nonFinite: new Uint32Array(3),
      bucket: 1,
      points: 3,
      x: Float64Array.of(Number.NaN, 128, 256),
    };
    expect([...curveOf(series).x]).toEqual([128, 256]);
    expect([...curveOf(series).y]).toEqual([2, 3]);
  });
  it('spacing is that of the logged points, not of the reduced ones (would catch smoothing that depends on the zoom)', () => {
    expect(loggedSpacing({ step: Float64Array.of(0, 500, 1000), points: 101 })).toBe(10);
  });
});

describe('ranges', () => {
  it('a logarithmic axis leaves out and counts what it cannot show', () => {
    expect(extentOf([[-1, 0, 0.1, 5]], { log: true })).toEqual({ min: 0.1, max: 5 });
    expect(extentOf([[-1, 0]], { log: true })).toBeUndefined();
  });
  it('ignores NaN and infinities', () => {
    expect(extentOf([[Number.NaN, 3, Infinity, 4]])).toMatchObject({ min: 3, max: 4 });
  });
  it('leaves room, but not below zero for what is never negative', () => {
    expect(padded({ min: 0, max: 100 }, false).min).toBe(0);
    expect(padded({ min: 3, max: 3 }, false).max).toBeGreaterThan(3);
    expect(padded({ min: 1, max: 1 }, true).min).toBeGreaterThan(0);
  });
  it('of a constant show a constant, also where means of equal values differ in their last digits', () => {
    expect(padded({ min: 0.003, max: 0.003 * (1 + 3e-16) }, false).max).toBeCloseTo(0.0033, 6);
    expect(padded({ min: 1, max: 1 }, false)).toEqual({ min: 0.9, max: 1.1 });
    expect(padded({ min: 0, max: 0 }, false)).toEqual({ min: 0, max: 1 });
  });
  it.each([
    [-1.7e308, 1.7e308, false],
    [0, 1.79e308, false],
    [1e-308, 1.79e308, true],
  ])('from %f to %f have a width that is a number', (min, max, log) => {
    const room = padded({ min, max }, log);
    expect(Number.isFinite(room.max - room.min) && room.max > room.min).toBe(true);
    expect(room.min).toBeGreaterThan(log ? 0 : -Infinity);
  });
});

describe('ticks', () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [1.93, 2.31, 4, [2, 2.1, 2.2, 2.3]],
    [0, 600, 6, [0, 100, 200, 300, 400, 500, 600]],
    [-3, 3, 3, [-2, 0, 2]],
    [5, 5, 4, [5]],
  ])('between %f and %f', (min, max, count, ticks) => {
    expect(linearTicks(min, max, count)).toEqual(ticks);
  });
  it('are two at least, where more than one number fits (would catch an axis with "20 s" alone)', () => {
    expect(linearTicks(0.011, 39, 3)).toEqual([10, 20, 30]);
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    for (let trial = 0; trial < 2000; trial++) {
      const min = (random() - 0.5) * 10 ** (random() * 8 - 4);
      const max = min + 10 ** (random() * 8 - 4);
      const count = 2 + Math.floor(random() * 6);
      const ticks = linearTicks(min, max, count);
      const label = `seed ${seed}, trial ${trial}: ${min} to ${max}, ${count}`;
      expect(ticks.length, label).toBeGreaterThanOrEqual(2);
      expect(ticks.length, label).toBeLessThanOrEqual(2 * count + 2);
      expect(ticks[0]! >= min - 1e-6 * (max - min) && ticks.at(-1)! <= max + 1e-6 * (max - min), label).toBe(true);
    }
  });
  it('logarithmic: decades, finer within one, linear within less', () => {
    expect(logTicks(1e-4, 1, 6)).toEqual([1e-4, 1e-3, 1e-2, 1e-1, 1]);
    expect(logTicks(1, 12, 6)).toEqual([1, 2, 5, 10]);
    expect(logTicks(2.1, 2.4, 3)).toEqual([2.1, 2.2, 2.3, 2.4]);
  });
  it(`logarithmic: neither crowded nor alone, whatever the range (seed ${SEED}; would catch 14 labels in a chart with room for 4)`, () => {
    expect(logTicks(4, 2e5, 4)).toEqual([10, 100, 1000, 1e4, 1e5]);
    expect(logTicks(2e-4, 30, 4)).toEqual([1e-3, 1e-2, 0.1, 1, 10]);
    expect(logTicks(1.5, 600, 2)).toEqual([10, 100]);
    const pick = random();
    for (let trial = 0; trial < 500; trial++) {
      const min = 10 ** (20 * pick() - 10);
      const max = min * 10 ** (0.05 + 12 * pick());
      const count = pick.integer(2, 8);
      const ticks = logTicks(min, max, count);
      const label = `trial ${trial}: ${min} to ${max}, ${count}`;
      expect(ticks.length, label).toBeGreaterThanOrEqual(2);
      expect(ticks.length, label).toBeLessThanOrEqual(2 * count + 2);
      expect(ticks[0]! >= min * (1 - 1e-6) && ticks.at(-1)! <= max * (1 + 1e-6), label).toBe(true);
      expect(ticks, label).toEqual([...ticks].sort((a, b) => a - b));
    }
  });
});
