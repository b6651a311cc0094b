/** The range of values, and how much of it an axis shows. */

export interface Extent {
  readonly min: number;
  readonly max: number;
}

/** The range of all finite values (positive ones, for a logarithmic axis) from `from` to `to`; undefined when there are none. */
export function extentOf(
  columns: readonly ArrayLike<number>[],
  options: { readonly log?: boolean; readonly from?: number; readonly to?: number } = {},
): Extent | undefined {
  const { log = false, from = -Infinity, to = Infinity } = options;
  let min = Infinity;
  let max = -Infinity;
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      // As nearly all are.
      if (value >= min && value <= max) continue;
      if (!Number.isFinite(value) || value < from || value > to || (log && value <= 0)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min > max ? undefined : { min, max };
}

/** The largest number whose distance from its negative is a number too. */
export const LARGEST = 8e307;
/** A value as an axis can show it: what is larger stands at its end. */
export const tame = (value: number): number =>
  value <= LARGEST && value >= -LARGEST ? value : Number.isFinite(value) ? Math.sign(value) * LARGEST : value;
/** Values that differ by less than this share of their size are one: the rest is the rounding of means. */
const SAME = 1e-9;

/** A little room around the data, so that lines do not lie on the frame. */
export function padded({ min, max }: Extent, log: boolean): Extent {
  if (log) {
    const room = max > min * (1 + SAME) ? (max / min) ** 0.04 : 1.5;
    return { min: Math.max(1e-300, min / room), max: Math.min(LARGEST, max * room) };
  }
  const size = Math.max(Math.abs(min), Math.abs(max));
  // Halves, because the distance of the largest numbers is none.
  const half = max / 2 - min / 2;
  const room = half > (SAME / 2) * size ? half * 0.08 : size * 0.1 || 1;
  // A metric that never falls below zero keeps zero as its floor.
  const low = min >= 0 && min - room < 0 ? 0 : min - room;
  return { min: Math.max(-LARGEST, low), max: Math.min(LARGEST, max + room) };
}
