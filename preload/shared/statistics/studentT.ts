/**
 * Student's t distribution, for tests and intervals over a handful of seeds, where the normal quantile 1.96 would be far too
 * narrow (two seeds need 12.7). Written here because the packages that have it bring some 200 others or fewer correct digits.
 */
import { betaCdf } from './beta.ts';

/**
 * P(|T| ≥ |t|) with `df` > 0 degrees of freedom (not necessarily an integer): the two-sided p-value. Keeps its digits far out,
 * where 1 − P(T ≤ t) would be rounded to 0.
 */
export function tTwoSided(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  const square = t * t;
  if (square === Infinity) return 0;
  return betaCdf(df / (df + square), df / 2, 0.5, square / (df + square));
}

const quantiles = new Map<string, number>();

/**
 * The t that is exceeded in absolute value with probability `alpha`: the factor of a two-sided interval of level 1 − alpha.
 * 0 < alpha < 1; NaN otherwise and when df is not positive. By bisection, which cannot fail; remembered.
 */
export function tCritical(alpha: number, df: number): number {
  if (!(df > 0) || !(alpha > 0 && alpha < 1)) return Number.NaN;
  const key = `${alpha} ${df}`;
  const known = quantiles.get(key);
  if (known !== undefined) return known;
  let low = 0;
  let high = 1;
  while (tTwoSided(high, df) > alpha) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-13 * high; i++) {
    const middle = (low + high) / 2;
    if (tTwoSided(middle, df) > alpha) low = middle;
    else high = middle;
  }
  if (quantiles.size > 5000) quantiles.clear();
  quantiles.set(key, (low + high) / 2);
  return (low + high) / 2;
}

/** Half-width factor of a two-sided 95 % confidence interval of a mean of `n` values; NaN for fewer than two. */
export function t95(n: number): number {
  // Asked for every point of every band, mostly for the same few n.
  let factor = factors95.get(n);
  if (factor === undefined) {
    factor = tCritical(0.05, n - 1);
    if (factors95.size < 5000) factors95.set(n, factor);
  }
  return factor;
}
const factors95 = new Map<number, number>();
