import { describe, expect, it } from 'vitest';
import { expectedNorm, gradientNorm } from '../../../main/engine/batch/accumulation/gradientNorm.ts';
import { testConfig } from '../train/helpers.ts';

/** Parameters of hlb-gpt at its default size. */
const N = 46_009_736;
const CONFIG = testConfig({ 'batch.accumulation': 'gradient_norm' });

describe('batches by the length of the gradient', () => {
  it("aim at hlb-gpt's targets", () => {
    for (const [step, target] of [
      [0, 15.73],
      [1, 2.708],
      [10, 1.129],
      [50, 0.612],
      [100, 0.47],
      [500, 0.254],
      [1000, 0.195],
    ] as const)
      // The table is of the gradient itself.
      expect((expectedNorm(N, step) * Math.sqrt(N)) / target).toBeCloseTo(1, 2.5);
  });

  it('follow the recurrence: M · (1 + 5 · 0.1 · (r − 1)), at least 0.1', () => {
    const after = (carried: number, step: number, ratio: number) =>
      gradientNorm.after!(CONFIG, carried, {
        step,
        gradNorm: ratio * expectedNorm(N, step) * Math.sqrt(N),
        parameters: N,
      });
    expect(after(0, 0, 1)).toBe(0.1);
    expect(after(4, 10, 1)).toBeCloseTo(4, 9);
    expect(after(4, 10, 2)).toBeCloseTo(6, 9);
    expect(after(4, 10, 0)).toBeCloseTo(2, 9);
    expect(after(900, 10, 1e6)).toBe(1024);
    const half = { ...CONFIG, 'batch.norm_target': 0.5, 'batch.norm_most': 5 };
    const gradNorm = expectedNorm(N, 10) * Math.sqrt(N);
    // Twice as long as half the target.
    expect(gradientNorm.after!(half, 3, { step: 10, gradNorm, parameters: N })).toBeCloseTo(4.5, 9);
    expect(gradientNorm.after!(half, 4, { step: 10, gradNorm, parameters: N })).toBe(5);
    expect([0, 1, 5, 12].map((step) => gradientNorm.looksAt!(CONFIG, step))).toEqual([true, false, true, false]);
  });

  it('take M batches on the average, never less than one, by a stream of their own', () => {
    const drawn = (carried: number, seed: number) =>
      Array.from({ length: 4000 }, (_, step) => gradientNorm.batches!(CONFIG, carried, { step, seed }));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    for (const seed of [1, 2]) {
      const some = drawn(2.3, seed);
      expect(new Set(some)).toEqual(new Set([2, 3]));
      // 4000 draws of ± 0.46: five standard errors are 0.036.
      expect(Math.abs(mean(some) - 2.3)).toBeLessThan(0.04);
      expect(new Set(drawn(0.4, seed))).toEqual(new Set([1]));
      expect(new Set(drawn(7, seed))).toEqual(new Set([7]));
    }
    expect(drawn(2.3, 1)).toEqual(drawn(2.3, 1));
    expect(drawn(2.3, 1)).not.toEqual(drawn(2.3, 2));
  });
});
