/** How a range of a series is cut into buckets, and which blocks these are read from. */

import type { SeriesQuery } from '../../../preload/contract/metrics.ts';
import { StoreError } from '../errors.ts';
import type { BlockRange } from './fetched.ts';
import { FANOUT, MAX_LEVEL, spanOf, unitOf } from './layout.ts';

/** The smallest `maxPoints`: the first point, the last one, and a bucket between them. */
const FEWEST_POINTS = 3;

/** The same where buckets are whole: both points may come beside buckets that reach beyond the range. */
export const FEWEST_WHOLE = 8;

/**
 * The smallest bucket, k·16^ℓ points with k from 1 to 15, that reduces points `from` … `to - 1` to at most `maxPoints`
 * entries. Buckets lie on multiples of their size, so that runs of one length are cut at the same steps.
 */
export function bucketSize(from: number, to: number, maxPoints: number): number {
  if (!(maxPoints >= FEWEST_POINTS)) {
    throw new StoreError('invalid', `maxPoints is ${maxPoints}; it must be at least ${FEWEST_POINTS}`);
  }
  if (to - from <= maxPoints) return 1;
  for (let unit = 1; ; unit *= FANOUT) {
    for (let factor = 1; factor < FANOUT; factor++) {
      const size = unit * factor;
      if (Math.floor((to - 2) / size) - Math.floor((from + 1) / size) + 3 <= maxPoints) return size;
    }
  }
}

/** How many entries a range may come back in. */
export function mostOf(
  { from, to }: { readonly from: number; readonly to: number },
  { maxPoints = Infinity, loggedUpTo = 0 }: SeriesQuery,
): number {
  return to - from <= loggedUpTo ? Infinity : maxPoints;
}

/** The buckets that points `from` … `to - 1` lie in: their size, and the points of all of them. */
export function wholeBuckets(
  { points }: { readonly points: number },
  from: number,
  to: number,
  maxPoints: number,
): { readonly size: number; readonly begin: number; readonly end: number } {
  // Less the two points that may come beside the buckets.
  const size = onLevel(bucketSize(from, to, maxPoints - 2));
  return {
    size,
    begin: Math.floor(from / size) * size,
    end: Math.min(points, Math.ceil(to / size) * size),
  };
}

/** From so many buckets of a level on, those of the next one are taken. */
const NEARLY = 10;

/** A little coarser where the buckets then lie ready, a fifth of the bytes of the points that they would be made of. */
function onLevel(size: number): number {
  let unit = 1;
  while (unit * FANOUT <= size) unit *= FANOUT;
  return size >= NEARLY * unit ? FANOUT * unit : size;
}

/** The highest level whose buckets nest in buckets of `size`: its unit divides it. */
export function levelFor(size: number): number {
  let level = 0;
  while (level < MAX_LEVEL && size % unitOf(level + 1) === 0) level++;
  return level;
}

/** Full blocks that points `from` … `to - 1` are read from, beginning at a level: as `#fold` goes through them. */
export function* touched(
  series: { readonly key: number; readonly points: number },
  level: number,
  from: number,
  to: number,
): Generator<BlockRange> {
  if (from >= to) return;
  const span = spanOf(level);
  const unit = unitOf(level);
  const complete = Math.floor(series.points / span) * span;
  const begin = Math.ceil(from / unit) * unit;
  const finish = Math.floor(Math.min(to, complete) / unit) * unit;
  if (begin < finish) yield { series: series.key, level, from: Math.floor(begin / span), to: Math.ceil(finish / span) };
  if (level === 0) return;
  if (begin >= finish) yield* touched(series, level - 1, from, to);
  else {
    yield* touched(series, level - 1, from, begin);
    yield* touched(series, level - 1, finish, to);
  }
}
