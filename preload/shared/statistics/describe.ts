/** Mean and spread of a few values (usually: one number per seed). Values that are not finite are left out. */
import { t95 } from './studentT.ts';

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
}

/** Mean of the first n values, all finite; also where their sum is beyond the largest number. */
export function meanOf(values: ArrayLike<number>, n = values.length): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  let mean = sum / n;
  if (!Number.isFinite(mean)) {
    mean = 0;
    for (let i = 0; i < n; i++) mean += values[i] / n;
  }
  // A second pass takes back what the first one rounded off.
  let rest = 0;
  for (let i = 0; i < n; i++) rest += (values[i] - mean) / n;
  return Number.isFinite(rest) ? mean + rest : mean;
}

/** Sample standard deviation (divisor n − 1) of the first n values around their mean; NaN for fewer than two. */
export function sdOf(values: ArrayLike<number>, mean: number, n = values.length): number {
  if (n < 2) return Number.NaN;
  // Two passes: the sum of squares minus n·mean² would lose every digit for losses that differ in the sixth place.
  // Relative to the largest where its square may be too large or too small for a number.
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(values[i] - mean));
  if (largest === 0 || largest === Infinity) return largest;
  const unit = largest > 1e-100 && largest < 1e100 ? 1 : largest;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const deviation = (values[i] - mean) / unit;
    sum += deviation;
    squares += deviation ** 2;
  }
  // The mean is rounded; what it lacks must not count as spread.
  return unit * Math.sqrt(Math.max(0, squares - sum ** 2 / n) / (n - 1));
}

export function describe(values: Iterable<number>): Description {
  const finite = [...values].filter(Number.isFinite);
  const n = finite.length;
  if (n === 0) {
    const nan = Number.NaN;
    return { n, mean: nan, sd: nan, se: nan, min: nan, max: nan };
  }
  const min = finite.reduce((least, value) => Math.min(least, value));
  const max = finite.reduce((most, value) => Math.max(most, value));
  // The mean of equal values is their value, to the last digit.
  const mean = min === max ? min : meanOf(finite);
  const sd = sdOf(finite, mean);
  return { n, mean, sd, se: sd / Math.sqrt(n), min, max };
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

/** The p-quantile of sorted values, linearly interpolated (type 7, the default of R and NumPy). */
export function quantileSorted(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** The finite values in rising order. */
export function sortedFinite(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(Array.from(values).filter(Number.isFinite)).sort();
}

/** The median of the finite values; NaN without any. */
export const median = (values: ArrayLike<number>): number => quantileSorted(sortedFinite(values), 0.5);
