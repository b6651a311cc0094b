/** Mean and spread of a few values (usually: one number per seed). Values that are not finite are left out and counted. */
import { t95, tQuantile } from './studentT.ts';

export interface Description {
  /** Finite values. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, divisor n − 1; NaN for n < 2. */
  readonly sd: number;
  /** Standard error of the mean, sd / √n. */
  readonly se: number;
  readonly min: number;
  readonly max: number;
  /** Values that were left out because they are not finite. */
  readonly notFinite: number;
}

export function describe(values: Iterable<number>): Description {
  const finite: number[] = [];
  let notFinite = 0;
  for (const value of values) {
    if (Number.isFinite(value)) finite.push(value);
    else notFinite++;
  }
  const n = finite.length;
  if (n === 0) {
    const nan = Number.NaN;
    return { n, mean: nan, sd: nan, se: nan, min: nan, max: nan, notFinite };
  }
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of finite) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / n;
  // Two passes: the sum of squares minus n·mean² would lose every digit for losses that differ in the sixth place.
  let squares = 0;
  for (const value of finite) squares += (value - mean) ** 2;
  const sd = n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1));
  return { n, mean, sd, se: sd / Math.sqrt(n), min, max, notFinite };
}

export const BANDS = ['sd', 'se', 'ci95', 'minmax', 'none'] as const;
export type Band = (typeof BANDS)[number];

/** What a band shows, with its divisor, for legends. */
export const BAND_LABELS: Readonly<Record<Band, string>> = {
  sd: '± sd (n − 1)',
  se: '± se (sd / √n)',
  ci95: '95 % CI (t, n − 1)',
  minmax: 'min – max',
  none: 'no band',
};

/** Half-width of a symmetric band around the mean of n values with standard deviation sd; NaN when there is none. */
export function halfWidth(band: Band, sd: number, n: number): number {
  if (band === 'sd') return sd;
  if (band === 'se') return sd / Math.sqrt(n);
  if (band === 'ci95') return (t95(n) * sd) / Math.sqrt(n);
  return Number.NaN;
}

/** Lower and upper end of the band; NaN when the values do not allow one (a single seed has no sd). */
export function bandOf(band: Band, d: Description): readonly [number, number] {
  if (band === 'minmax') return [d.min, d.max];
  const half = halfWidth(band, d.sd, d.n);
  return [d.mean - half, d.mean + half];
}

/**
 * Two-sided p < 0.05 of Welch's t-test (unequal variances, Welch–Satterthwaite degrees of freedom): whether two settings
 * differ by more than their seeds do. Undefined when either has fewer than two values.
 */
export function differs(a: Description, b: Description): boolean | undefined {
  if (a.n < 2 || b.n < 2) return undefined;
  const va = a.sd ** 2 / a.n;
  const vb = b.sd ** 2 / b.n;
  if (va + vb === 0) return a.mean !== b.mean;
  const df = (va + vb) ** 2 / (va ** 2 / (a.n - 1) + vb ** 2 / (b.n - 1));
  return Math.abs(a.mean - b.mean) / Math.sqrt(va + vb) > tQuantile(0.975, df);
}

/** The p-quantile of sorted values, linearly interpolated (type 7, the default of R and NumPy). */
export function quantileSorted(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
