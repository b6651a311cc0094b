/** Which part of the values an axis shows. */
import { quantileSorted } from '../../../preload/shared/statistics/describe.ts';

export interface Extent {
  readonly min: number;
  readonly max: number;
}

export interface Extents extends Extent {
  /** Values left outside because outliers are clipped. */
  readonly clipped: number;
  /** Values that a logarithmic axis cannot show. */
  readonly notPositive: number;
}

export interface ExtentOptions {
  readonly log?: boolean;
  /** Clips values far outside the bulk (see `fence`); they stay in the data, and their number is stated. */
  readonly clip?: boolean;
}

/** At most so many values are sorted to find the bulk. */
const SAMPLE = 20_000;

/**
 * The range of all finite values (positive ones, for a logarithmic axis); undefined when there are none.
 */
export function extentOf(columns: readonly ArrayLike<number>[], options: ExtentOptions = {}): Extents | undefined {
  const { log = false, clip = false } = options;
  let min = Infinity;
  let max = -Infinity;
  let notPositive = 0;
  let total = 0;
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (!Number.isFinite(value)) continue;
      if (log && value <= 0) {
        notPositive++;
        continue;
      }
      total++;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (total === 0) return undefined;
  if (!clip) return { min, max, clipped: 0, notPositive };
  const bulk = fence(columns, total, log);
  let clipped = 0;
  for (const column of columns)
    for (let i = 0; i < column.length; i++)
      if (Number.isFinite(column[i]) && (column[i] < bulk.min || column[i] > bulk.max) && !(log && column[i] <= 0))
        clipped++;
  return { min: Math.max(min, bulk.min), max: Math.min(max, bulk.max), clipped, notPositive };
}

/**
 * The bulk: from the 2nd to the 98th percentile, widened by a quarter of that distance on both sides (in logarithms on a
 * logarithmic axis). A learning curve's steep start lies outside; its plateau and its ordinary noise inside.
 */
function fence(columns: readonly ArrayLike<number>[], total: number, log: boolean): Extent {
  const stride = Math.max(1, Math.floor(total / SAMPLE));
  const sample: number[] = [];
  let seen = 0;
  for (const column of columns)
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (seen++ % stride === 0) sample.push(log ? Math.log(value) : value);
    }
  const sorted = Float64Array.from(sample).sort();
  const low = quantileSorted(sorted, 0.02);
  const high = quantileSorted(sorted, 0.98);
  const margin = 0.25 * (high - low);
  const back = log ? Math.exp : (v: number) => v;
  return { min: back(low - margin), max: back(high + margin) };
}

/** A little room around the data, so that lines do not lie on the frame. */
export function padded({ min, max }: Extent, log: boolean): Extent {
  if (log) {
    const room = max > min ? (max / min) ** 0.04 : 1.5;
    return { min: min / room, max: max * room };
  }
  const room = max > min ? (max - min) * 0.04 : Math.abs(max) * 0.1 || 1;
  // A metric that never falls below zero keeps zero as its floor.
  return { min: min >= 0 && min - room < 0 ? 0 : min - room, max: max + room };
}
