/** The wild bootstrap against standard errors that have a formula, and against all of its resamples counted out one by one. */
import { describe, expect, it } from 'vitest';
import { wildBootstrap } from '../../../preload/shared/statistics/bootstrap.ts';
import { random as seeded, SEED } from '../../oracles/random.ts';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const sd = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((a, b) => a + (b - mean(values)) ** 2, 0) / (values.length - 1));

describe.each([1, 2, SEED])('the wild bootstrap (seed %i)', (seed) => {
  const random = seeded(seed);
  it('gives s/√n of a mean, and Welch’s standard error of a difference (would catch residuals that are too small)', () => {
    for (const [n, m] of [
      [2, 2],
      [3, 5],
      [9, 2],
    ]) {
      const a = Array.from({ length: n }, () => 3 + random.normal());
      const b = Array.from({ length: m }, () => 9 * random.normal());
      const settings = [...a.map(() => 'a'), ...b.map(() => 'b')];
      const { errors } = wildBootstrap(
        [...a, ...b],
        settings,
        (values) => [mean(values.slice(0, n)), mean(values.slice(n)), mean(values.slice(0, n)) - mean(values.slice(n))],
        { resamples: 6000, random },
      );
      const exact = [
        sd(a) / Math.sqrt(n),
        sd(b) / Math.sqrt(m),
        Math.hypot(sd(a) / Math.sqrt(n), sd(b) / Math.sqrt(m)),
      ];
      // The error of a standard deviation from so many draws is about 1 %.
      for (const [i, error] of errors.entries()) expect(error / exact[i], `${n}, ${m}: ${i}`).toBeCloseTo(1, 1);
    }
  });

  it('agrees with all sign patterns counted out, for a statistic without a formula', () => {
    const settings = ['a', 'a', 'b', 'b', 'b', 'c', 'c', 'd'];
    const values = settings.map((name) => name.charCodeAt(0) + random.normal());
    // The share of the variance between a and the rest: not linear in the values.
    const statistic = (v: readonly number[]): number[] => {
      const all = mean(v);
      const [one, rest] = [v.slice(0, 2), v.slice(2)];
      const between = one.length * (mean(one) - all) ** 2 + rest.length * (mean(rest) - all) ** 2;
      return [between / v.reduce((sum, x) => sum + (x - all) ** 2, 0)];
    };
    const groups = (name: string): number[] => values.filter((_, i) => settings[i] === name);
    const squares = ['a', 'b', 'c'].flatMap((name) => groups(name).map((v) => (v - mean(groups(name))) ** 2));
    const pooled = Math.sqrt(squares.reduce((x, y) => x + y, 0) / 4);
    const every = Array.from({ length: 2 ** values.length }, (_, signs) =>
      statistic(
        values.map((v, i) => {
          const group = groups(settings[i]);
          const n = group.length;
          const move = n === 1 ? pooled : (v - mean(group)) / Math.sqrt(1 - 1 / n);
          return mean(group) + ((signs >> i) & 1 ? move : -move);
        }),
      ),
    ).map(([v]) => v);
    const exact = Math.sqrt(mean(every.map((v) => (v - mean(every)) ** 2)));
    const { errors } = wildBootstrap(values, settings, statistic, { resamples: 8000, random });
    expect(errors[0] / exact).toBeCloseTo(1, 1);
  });

  it('knows no error where no setting has a second seed, and none where nothing differs', () => {
    const identity = (values: readonly number[]): readonly number[] => values;
    expect(wildBootstrap([1, 2, 3], ['a', 'b', 'c'], identity, { resamples: 50, random }).errors).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(wildBootstrap([2, 2, 5], ['a', 'a', 'b'], identity, { resamples: 50, random }).errors).toEqual([0, 0, 0]);
  });
});
