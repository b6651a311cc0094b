/** Where the x axis of a chart begins that has a single x. */
import { expect, it } from 'vitest';
import { lineModel } from '../../preload/charts/data/lineModel.ts';
import type { RunCurve } from '../../preload/charts/data/live.ts';
import { ticksAt, ticksOf } from '../../preload/charts/format.ts';

const axisAt = (x: number, xUnit: string) => {
  const at = Float64Array.of(x);
  return lineModel({
    groups: [{ id: 'r', label: 'r', color: '', runs: ['r'] }],
    grouped: false,
    metrics: ['loss'],
    curve: () => ({ curve: { x: at, y: at, min: at, max: at }, bucket: 1, increasing: true }) as RunCurve,
    band: 'none',
    smoothing: 0,
    xLabel: xUnit,
    yLabel: 'loss',
    xUnit,
    xLog: false,
    yLog: false,
    clipOutliers: false,
  }).x;
};

it.each(['step', 'tokens', 's'])('begins at 0 for %s (would catch ticks before the first step)', (unit) => {
  const axis = axisAt(0, unit);
  expect(axis).toMatchObject({ min: 0, max: 1 });
  expect(ticksOf(axis, 4).every(({ value }) => value >= 0)).toBe(true);
  expect(axisAt(0.25, unit)).toMatchObject({ min: 0, max: 1.25 });
  expect(axisAt(50, unit)).toMatchObject({ min: 49, max: 51 });
  expect(axisAt(-2, unit)).toMatchObject({ min: -3, max: -1 });
});

it.each(['step', 'tokens', ''])(
  'names a single %s and no places beside it (would catch 49.999k and 50.001k)',
  (unit) => {
    const { ticks } = axisAt(50_000, unit);
    expect(ticksAt(ticks!)).toEqual([{ value: 50_000, label: '50,000' }]);
    expect(axisAt(50_000, 's').ticks).toBeUndefined();
  },
);
