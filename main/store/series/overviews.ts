/**
 * Overviews: each long series of a run that has ended, once more in a few hundred buckets. A board of finished runs then reads one row per
 * line, where the levels of layout.ts cost a dozen rows and two blocks of points for the ends.
 *
 * They are made from the points, a few at a time, whenever the writer has nothing else to do (overviewMaker.ts), and for databases of earlier
 * versions alike. Losing one costs time and nothing else: a series whose overview is missing, or counts other points than the series has, is
 * read through its levels.
 */

import { Buckets } from './buckets.ts';
import type { BucketArrays } from './buckets.ts';
import { decodeCounts, decodeNumbers, decodeSteps } from './codec.ts';

export interface OverviewRow {
  readonly points: number;
  readonly bucket: number;
  readonly first_value: number | null;
  readonly first: number;
  readonly stride: number;
  readonly steps: Uint8Array | null;
  readonly first_bucket: number;
  readonly last_bucket: number;
  readonly vals: Uint8Array;
  readonly low: Uint8Array;
  readonly high: Uint8Array;
  readonly non_finite: Uint8Array | null;
}

export const OVERVIEW_COLUMNS =
  'points, bucket, first_value, first, stride, steps, first_bucket, last_bucket, vals, low, high, non_finite';

/** What is between the first and the last point of a series: buckets on multiples of their size. */
interface Overview {
  readonly bucket: number;
  readonly firstValue: number;
  readonly middle: BucketArrays;
}

/** @returns undefined for a series that has none (`row`), or has changed since */
export function overviewOf(row: OverviewRow | undefined, points: number): Overview | undefined {
  if (row === undefined || row.points !== points) return undefined;
  const length = bucketsBetween(points, row.bucket);
  const step = new Float64Array(length);
  step[0] = row.first_bucket;
  step.set(decodeSteps(row, length - 2), 1);
  step[length - 1] = row.last_bucket;
  return {
    bucket: row.bucket,
    firstValue: row.first_value ?? Number.NaN,
    middle: {
      step,
      value: decodeNumbers(row.vals, length),
      low: decodeNumbers(row.low, length),
      high: decodeNumbers(row.high, length),
      nonFinite: decodeCounts(row.non_finite, length),
    },
  };
}

/** Buckets that hold the points 1 … `points` − 2. */
const bucketsBetween = (points: number, size: number): number =>
  Math.floor((points - 2) / size) - Math.floor(1 / size) + 1;

/** The same in buckets of `size`, a multiple of the overview's. */
export function coarser({ bucket, middle }: Overview, points: number, size: number): BucketArrays {
  if (size === bucket) return middle;
  const ratio = size / bucket;
  const buckets = new Buckets(bucketsBetween(points, size));
  const last = middle.step.length - 1;
  // The point 0 is not in the first bucket, and the last bucket ends with the point before the last.
  buckets.addBuckets(0, bucket - 1, middle, 0, 1);
  for (let from = 1; from < last;) {
    const to = Math.min(last, (Math.floor(from / ratio) + 1) * ratio);
    buckets.addBuckets(Math.floor(from / ratio), bucket, middle, from, to);
    from = to;
  }
  buckets.addBuckets(Math.floor(last / ratio), points - 1 - last * bucket, middle, last, last + 1);
  return buckets.finish();
}
