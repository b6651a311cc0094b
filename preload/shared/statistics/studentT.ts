/**
 * Student's t distribution, for confidence intervals over a handful of seeds, where the normal quantile 1.96 would be far too
 * narrow (two seeds need 12.7).
 */
import { betaCdf } from './beta.ts';

/** P(T ≤ t) with `df` > 0 degrees of freedom (not necessarily an integer). */
export function tDistribution(t: number, df: number): number {
  const tail = 0.5 * betaCdf(df / (df + t * t), df / 2, 0.5);
  return t >= 0 ? 1 - tail : tail;
}

/**
 * The t with P(T ≤ t) = p. 0 < p < 1; NaN when df is not positive. By bisection, which cannot fail; callers cache by df.
 */
export function tQuantile(p: number, df: number): number {
  if (!(df > 0) || !(p > 0 && p < 1)) return Number.NaN;
  if (p < 0.5) return -tQuantile(1 - p, df);
  let low = 0;
  let high = 1;
  while (tDistribution(high, df) < p) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (tDistribution(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const cache = new Map<number, number>();

/** Half-width factor of a two-sided 95 % confidence interval of a mean of `n` values; NaN for fewer than two. */
export function t95(n: number): number {
  const known = cache.get(n);
  if (known !== undefined) return known;
  const value = tQuantile(0.975, n - 1);
  cache.set(n, value);
  return value;
}
