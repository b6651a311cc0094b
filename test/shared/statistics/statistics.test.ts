/** Statistics against SciPy and NumPy (oracle.json, made by oracle.py), closed forms and published examples. */
import { readFileSync } from 'node:fs';
import { describe as suite, expect, it } from 'vitest';
import { bandOf, describe, quantileSorted } from '../../../preload/shared/statistics/describe.ts';
import {
  halfInterval,
  pairedDifference,
  seedsToDecide,
  welchDifference,
} from '../../../preload/shared/statistics/difference.ts';
import type { Difference } from '../../../preload/shared/statistics/difference.ts';
import { holm } from '../../../preload/shared/statistics/holm.ts';
import { pearson, ranks, spearman } from '../../../preload/shared/statistics/spearman.ts';
import { t95, tCritical, tTwoSided } from '../../../preload/shared/statistics/studentT.ts';

type Numbers = Readonly<Record<string, number>>;
interface Compared {
  readonly a: number[];
  readonly b: number[];
  readonly mean: number;
  readonly df: number;
  readonly p: number;
  readonly low: number;
  readonly high: number;
}
interface Oracle {
  readonly describe: readonly {
    readonly values: number[];
    readonly n: number;
    readonly mean: number;
    readonly sd: number;
  }[];
  readonly paired: readonly Compared[];
  readonly welch: readonly Compared[];
  readonly holm: readonly { readonly p: number[]; readonly adjusted: number[] }[];
  readonly t: readonly Numbers[];
  readonly tails: readonly Numbers[];
  readonly power: readonly Numbers[];
  readonly spearman: readonly { readonly a: number[]; readonly b: number[]; readonly rho: number }[];
  readonly quantile: readonly { readonly values: number[]; readonly p: number; readonly value: number }[];
}
const WORDS: Numbers = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
const oracle = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8'), (_, value) =>
  typeof value === 'string' ? WORDS[value] : value,
) as Oracle;

/** Equal to so many parts of the larger one, or to `floor` where that is larger (what rounding of the data allows). */
function near(actual: number, expected: number, relative = 1e-9, floor = 0): void {
  if (Number.isNaN(expected) || !Number.isFinite(expected)) expect(actual).toBe(expected);
  else
    expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThanOrEqual(
      Math.max(relative * Math.abs(expected), floor),
    );
}

suite("Student's t", () => {
  it('has the critical values of SciPy from one degree of freedom to 100,000 (would catch the normal quantile, or n for n − 1)', () => {
    for (const { alpha, df, critical } of oracle.t) near(tCritical(alpha, df), critical, 2e-9);
  });
  it('has its tails to the last places (would catch 1 − P, which is 0 far out)', () => {
    for (const { t, df, p } of oracle.tails) near(tTwoSided(t, df), p, 1e-9);
  });
  it('agrees with the closed forms for 1 and 2 degrees of freedom', () => {
    // P(T ≤ t): each tail has half of both.
    const below = (t: number, df: number): number => (t >= 0 ? 1 - tTwoSided(t, df) / 2 : tTwoSided(t, df) / 2);
    for (const t of [-7, -0.3, 0, 0.5, 2, 40]) {
      expect(below(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(below(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
    }
  });
  it('both tails are the same, and there is nothing where there is nothing', () => {
    for (const t of [0.3, 1.415, 40]) expect(tTwoSided(-t, 7)).toBe(tTwoSided(t, 7));
    expect(tTwoSided(0, 7)).toBe(1);
    expect(tTwoSided(tCritical(0.2, 7), 7)).toBeCloseTo(0.2, 12);
    expect(t95(1)).toBeNaN();
    expect(t95(2)).toBeCloseTo(12.7062, 4);
    expect(tTwoSided(Infinity, 3)).toBe(0);
    expect(tTwoSided(Number.NaN, 3)).toBeNaN();
  });
});

suite('mean and spread', () => {
  it('are those of NumPy in extended precision: small spreads on huge offsets, numbers near the largest and the smallest', () => {
    for (const { values, n, mean, sd } of oracle.describe) {
      const d = describe(values);
      expect(d.n).toBe(n);
      near(d.mean, mean, 1e-15, 5e-324);
      near(d.sd, sd, 1e-12, 5e-324);
    }
  });
  it('divides by n − 1 (would catch the population sd)', () => {
    const d = describe([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(d.mean).toBe(5);
    expect(d.sd).toBeCloseTo(Math.sqrt(32 / 7), 14);
    expect(d.se).toBeCloseTo(Math.sqrt(32 / 7 / 8), 14);
    const [low, high] = bandOf('ci95', d);
    // t(0.975, 7) = 2.36462
    expect(high - 5).toBeCloseTo(2.36462 * d.se, 4);
    expect(low + high).toBeCloseTo(10, 12);
    expect(bandOf('minmax', d)).toEqual([2, 9]);
  });
  it('leaves out diverged seeds instead of averaging them in, and gives one value no sd', () => {
    const d = describe([Number.NaN, 3, Infinity]);
    expect(d).toMatchObject({ n: 1, mean: 3 });
    expect(d.sd).toBeNaN();
    expect(bandOf('sd', d)[0]).toBeNaN();
  });
  it('interpolates quantiles as R and NumPy do', () => {
    for (const { values, p, value } of oracle.quantile) near(quantileSorted(values, p), value, 1e-13, 1e-15);
    expect(quantileSorted([], 0.5)).toBeNaN();
  });
});

suite('a difference', () => {
  const check = (found: Difference | undefined, { a, b, mean, p, low, high }: Compared): void => {
    // What the last digit of the data can do to the difference.
    const floor = 1e-14 * Math.max(...a.map(Math.abs), ...b.map(Math.abs));
    near(found!.mean, mean, 1e-9, floor);
    near(found!.p, p, 1e-5, 1e-12);
    const half = halfInterval(found!, 0.05);
    near(found!.mean - half, low, 1e-7, 100 * floor);
    near(found!.mean + half, high, 1e-7, 100 * floor);
  };
  it('of pairs is SciPy’s ttest_rel with its interval, with ties, large offsets and without spread', () => {
    for (const each of oracle.paired) check(pairedDifference(each.a, each.b), each);
  });
  it('of independent samples is SciPy’s ttest_ind(equal_var=False) with its interval', () => {
    for (const each of oracle.welch) {
      const found = welchDifference(describe(each.a), describe(each.b));
      near(found!.df, each.df, 1e-6);
      check(found, { ...each, mean: (each.low + each.high) / 2 });
    }
  });
  it('cancels the luck of a seed that both share (would catch a test that ignores the pairs)', () => {
    const a = [1, 5, 9, 2];
    const b = a.map((value, i) => value + 0.1 + i / 1000);
    expect(pairedDifference(b, a)!.p).toBeLessThan(1e-4);
    expect(welchDifference(describe(b), describe(a))!.p).toBeGreaterThan(0.9);
  });
  it('is none for one seed, and leaves out seeds that have no number', () => {
    expect(pairedDifference([1], [2])).toBeUndefined();
    expect(pairedDifference([1, Number.NaN, Infinity], [2, 3, 4])).toBeUndefined();
    expect(pairedDifference([1, 2, Number.NaN], [0, 1.5, 7])).toMatchObject({ n: 2, df: 1, mean: 0.75 });
    expect(welchDifference(describe([1]), describe([1, 2]))).toBeUndefined();
  });
  it('of the last digit is none (would catch "worse" by the rounding of a sum)', () => {
    expect(pairedDifference([0.1 + 0.2, 0.3], [0.3, 0.3])).toMatchObject({ p: 1 });
    expect(pairedDifference([0.1 + 0.2, 0.1 + 0.2], [0.3, 0.3])).toMatchObject({ p: 1, mean: 0 });
    expect(welchDifference(describe([0.1 + 0.2, 0.1 + 0.2]), describe([0.3, 0.3]))).toMatchObject({ p: 1, mean: 0 });
    expect(welchDifference(describe([2, 2]), describe([1, 1]))).toMatchObject({ p: 0, mean: 1, se: 0 });
  });
});

suite('Holm’s correction', () => {
  it('is that of its definition, ties and certainties included', () => {
    for (const { p, adjusted } of oracle.holm)
      holm(p).forEach((found, i) => near(found!.adjusted, adjusted[i], 1e-12, 1e-15));
  });
  it('stops at the first that fails (would catch Bonferroni, and a larger p that is judged different after a smaller was not)', () => {
    // 0.04 is above 0.05/2, so 0.045 is not tested at 0.05 any more.
    expect(holm([0.045, 0.01, 0.04]).map((each) => each!.rejected)).toEqual([false, true, false]);
    expect(holm([0.045, 0.01, 0.02]).map((each) => each!.rejected)).toEqual([true, true, true]);
    expect(holm([0.045, 0.01, 0.04]).map((each) => each!.alpha)).toEqual([0.025, 0.05 / 3, 0.025]);
  });
  it('does not count comparisons that could not be made', () => {
    expect(holm([Number.NaN, 0.03])).toEqual([undefined, { adjusted: 0.03, rejected: true, alpha: 0.05 }]);
    expect(holm([])).toEqual([]);
  });
  it('gives each comparison the level whose interval leaves out 0 exactly where it is judged different', () => {
    for (const { a, b } of oracle.paired) {
      const differences = [a, a.map((x) => x + 0.3), a.map((x, i) => x + (i % 3))].map((x) => pairedDifference(x, b)!);
      holm(differences.map(({ p }) => p)).forEach((found, i) => {
        const { mean } = differences[i];
        expect(Math.abs(mean) > halfInterval(differences[i], found!.alpha)).toBe(found!.rejected);
      });
    }
  });
});

suite('how many seeds would decide', () => {
  it('is within one of the exact number, or a hundredth where it is large (would catch the normal quantile for t)', () => {
    for (const { effect, alpha, paired, welch } of oracle.power) {
      const n = 3;
      const one: Difference = { method: 'paired', n, mean: effect, se: 1 / Math.sqrt(n), df: n - 1, p: 0.5 };
      const two: Difference = { method: 'welch', n, mean: -effect, se: Math.sqrt(2 / n), df: 2 * (n - 1), p: 0.5 };
      for (const [found, exact] of [
        [seedsToDecide(one, alpha), paired],
        [seedsToDecide(two, alpha), welch],
      ])
        expect(Math.abs(found - exact), `${found} for ${exact}`).toBeLessThanOrEqual(Math.max(1, exact / 100));
    }
  });
  it('is endless without a difference, two without a spread', () => {
    const base: Difference = { method: 'paired', n: 3, mean: 0, se: 1, df: 2, p: 1 };
    expect(seedsToDecide(base, 0.05)).toBe(Infinity);
    expect(seedsToDecide({ ...base, mean: 1e-9 }, 0.05)).toBe(Infinity);
    expect(seedsToDecide({ ...base, mean: 1, se: 0 }, 0.05)).toBe(2);
    expect(seedsToDecide({ ...base, se: 0 }, 0.05)).toBe(Infinity);
  });
});

suite('rank correlation', () => {
  it('is SciPy’s, with ties', () => {
    for (const { a, b, rho } of oracle.spearman) near(spearman(a, b), rho, 1e-12, 1e-14);
    expect(ranks([10, 20, 10, 30])).toEqual([1.5, 3, 1.5, 4]);
  });
  it('is the published value of the textbook example (would catch sorting numbers as text)', () => {
    // IQ and hours of television, Wikipedia "Spearman's rank correlation coefficient": ρ = −29/165.
    const iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110];
    const hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17];
    expect(spearman(iq, hours)).toBeCloseTo(-29 / 165, 12);
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});
