/** Two settings compared: how far their means lie apart, and how sure that is. */
import { describe } from './describe.ts';
import type { Description } from './describe.ts';
import { tCritical, tTwoSided } from './studentT.ts';

export interface Difference {
  /** `paired`: over the seeds that both have; `welch`: two independent samples of unequal variance. */
  readonly method: 'paired' | 'welch';
  /** Pairs, or the values of the smaller sample. */
  readonly n: number;
  /** First minus second. */
  readonly mean: number;
  /** Standard error of `mean`. */
  readonly se: number;
  /** Degrees of freedom. */
  readonly df: number;
  /** Two-sided p-value of no difference. */
  readonly p: number;
}

/** What rounding alone can make of two equal numbers of this size. */
const rounding = (size: number): number => 4 * Number.EPSILON * size;

function tested(method: Difference['method'], n: number, df: number, mean: number, se: number, size: number) {
  const same = Math.abs(mean) <= rounding(size);
  // Without any spread the statistic is 0/0 for equal means, and infinite otherwise.
  const t = se > 0 ? mean / se : same ? 0 : Infinity;
  return { method, n, mean: same && se === 0 ? 0 : mean, se, df, p: t === 0 ? 1 : tTwoSided(t, df) } as const;
}

/**
 * Student's paired test of a[i] − b[i] (same seed, so the luck of the seed cancels out). Pairs with a value that is not finite are left
 * out. Undefined for fewer than two pairs.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Difference | undefined {
  const pairs = a
    .map((value, i) => [value, b[i]] as const)
    .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  const d = describe(pairs.map(([x, y]) => x - y));
  if (d.n < 2) return undefined;
  const size = Math.max(...pairs.flat().map(Math.abs));
  // Differences that differ in their last digit only are equal ones.
  const se = d.sd <= rounding(size) ? 0 : d.se;
  return tested('paired', d.n, d.n - 1, d.mean, se, size);
}

/** Welch's test (unequal variances, Welch–Satterthwaite degrees of freedom). Undefined when either has fewer than two values. */
export function welchDifference(a: Description, b: Description): Difference | undefined {
  if (a.n < 2 || b.n < 2) return undefined;
  const n = Math.min(a.n, b.n);
  const mean = a.mean - b.mean;
  const size = Math.max(Math.abs(a.mean), Math.abs(b.mean));
  const larger = Math.max(a.se, b.se);
  if (larger === 0) return tested('welch', n, a.n + b.n - 2, mean, 0, size);
  // Relative to the larger one, so that no square leaves the range of numbers.
  const va = (a.se / larger) ** 2;
  const vb = (b.se / larger) ** 2;
  const df = (va + vb) ** 2 / (va ** 2 / (a.n - 1) + vb ** 2 / (b.n - 1));
  return tested('welch', n, df, mean, larger * Math.sqrt(va + vb), size);
}

/** Half-width of the two-sided interval of level 1 − alpha around `mean`. */
export function halfInterval({ se, df }: Pick<Difference, 'se' | 'df'>, alpha: number): number {
  return se === 0 ? 0 : tCritical(alpha, df) * se;
}

/** More than this is "very many", whatever the exact number. */
const MOST_SEEDS = 1000;

/** Quantile of the normal distribution at 80 %, the chance that the seeds found decide. */
const Z_POWER = 0.8416212335729143;

/**
 * How many seeds of each would decide a difference like this one with a chance of 80 %, if its mean and spread are as they look now: the
 * smallest n for which the noncentral t, by the normal approximation of Abramowitz & Stegun 26.7.10, leaves at most 20 % below the
 * critical value. An estimate from an estimate: with few seeds the spread itself is hardly known.
 *
 * @returns at least 2; Infinity beyond MOST_SEEDS or without a difference
 */
export function seedsToDecide({ method, mean, se, df, n }: Difference, alpha: number): number {
  if (se === 0) return mean === 0 ? Infinity : 2;
  // Difference in units of what one seed of each contributes to the standard error.
  const effect = Math.abs(mean) / (se * Math.sqrt(n));
  const perSeed = method === 'paired' ? 1 : Math.min(2, Math.max(1, df / (n - 1)));
  const enough = (seeds: number): boolean => {
    const degrees = perSeed * (seeds - 1);
    const critical = tCritical(alpha, degrees);
    const below = critical * (1 - 1 / (4 * degrees)) - effect * Math.sqrt(seeds);
    return below <= -Z_POWER * Math.sqrt(1 + critical ** 2 / (2 * degrees));
  };
  if (!enough(MOST_SEEDS)) return Infinity;
  let low = 1;
  let high = MOST_SEEDS;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
