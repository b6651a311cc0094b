import { expect, test } from 'vitest';
import { rateWords, roundRate, smoothed, suggest } from '../../../main/lab/probes/lrRange.ts';

test('a running mean is corrected for its start (would catch one that begins near 0)', () => {
  expect(smoothed([3, 3, 3])).toEqual([expect.closeTo(3, 12), expect.closeTo(3, 12), expect.closeTo(3, 12)]);
  const [, second] = smoothed([1, 2]);
  expect(second).toBeCloseTo((0.9 * 0.1 * 1 + 0.1 * 2) / (1 - 0.81), 12);
});

test('rates are rounded to what people write', () => {
  expect([0.00094, 0.0016, 0.0024, 0.0041, 0.0083, 7].map(roundRate)).toEqual([0.001, 0.002, 0.002, 0.005, 0.01, 5]);
});

test('the range lies below the rate of the lowest loss', () => {
  const rates = Array.from({ length: 100 }, (_, i) => 1e-5 * 10 ** (i / 20));
  // Falls fastest at 1e-3, is lowest at 0.03, rises beyond.
  const loss = (lr: number) => 5 - 3 / (1 + (1e-3 / lr) ** 2) + (lr / 0.5) ** 2;
  const points = rates.map((lr) => ({ lr, loss: loss(lr), smooth: loss(lr) }));
  const lowest = points.reduce((best, each) => (each.smooth < best.smooth ? each : best)).lr;
  const [low, high] = suggest(points)!;
  expect(low).toBeLessThanOrEqual(1e-3);
  expect(low).toBeGreaterThanOrEqual(1e-4);
  expect(Math.abs(Math.log(high / (lowest / 3)))).toBeLessThan(Math.log(1.5));
  expect(suggest(rates.map((lr) => ({ lr, loss: 5, smooth: 5 + lr })))).toBeUndefined();
});

test('a loss that rises a little at the end is not said to fall (would catch advice to try larger rates)', () => {
  const words = (...smooth: number[]) =>
    rateWords(
      {
        points: smooth.map((s, i) => ({ lr: 10 ** (i - 3), loss: s, smooth: s })),
        suggested: undefined,
        roseAt: undefined,
      },
      1,
      'terminal',
    )[0];
  expect(words(5, 3, 1, 1.2)).toBe('The loss did not rise up to 1: larger rates may be good too.');
  expect(words(5, 1, 1.5, 2.4)).toBe('The loss is lowest near 0.01; towards 1 it begins to rise.');
});
