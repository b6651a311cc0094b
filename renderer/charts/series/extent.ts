/** Which part of the values an axis shows. */
import { quantileSorted } from '../../../preload/shared/statistics/describe.ts';

export interface Extent {
  readonly min: number;
  readonly max: number;
}

/** The range of all finite values (positive ones, for a logarithmic axis); undefined when there are none. */
export function extentOf(
  columns: readonly ArrayLike<number>[],
  options: { readonly log?: boolean } = {},
): Extent | undefined {
  const { log = false } = options;
  let min = Infinity;
  let max = -Infinity;
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min > max ? undefined : { min, max };
}

/**
 * On which side of a metric values may lie that say only that something went wrong. `above`: losses and norms, of which lower is better;
 * `below`: what is better the higher it is; `far`: nothing is known of it, and only what is a million times the rest is taken for that.
 */
export type Outlying = 'above' | 'below' | 'far';

/** At most so many values of all lines are looked at to find the bulk. */
const SAMPLE = 8000;
/** The part of all values that lies closest together: diverged runs, be they three of four, never do. */
const DENSEST = 0.25;
const FEWEST = 3;
/** So many times its own width around the densest part there is still ordinary data: six widths of a normal distribution are ± 4 sd. */
const AROUND = 6;
/** How far the frame follows what is beyond the bulk, as a share of its height. */
const BEYOND = 0.75;
/** Values are left out only where a frame of all of them would be so many times as high. */
const FLATTENED = 3;
const FAR = 1e6;

/**
 * The values that a frame should hold so that lines can be told apart; what lies beyond it is drawn to the edge. Undefined when it should
 * hold all values. Each line weighs the same, however many points it has. The first values belong to it: what is better than the beginning
 * is never left out, and a steep start neither.
 *
 * @param lines their y, in the part of x that is shown
 */
export function bulkOf(lines: readonly ArrayLike<number>[], log: boolean, outlying: Outlying): Extent | undefined {
  const each = Math.max(4, Math.floor(SAMPLE / Math.max(1, lines.length)));
  const samples = lines.map((line) => sampleOf(line, each, log)).filter(({ length }) => length > 0);
  const { values, weights } = sorted(samples);
  if (values.length <= FEWEST) return undefined;
  const lowest = values[0];
  const highest = values[values.length - 1];
  const dense = densest(values, weights);
  if (outlying === 'far') {
    const size = Math.max(Math.abs(dense.min), Math.abs(dense.max));
    const edge = log ? Math.log(FAR) + dense.max : FAR * size;
    return size === 0 || (highest <= edge && (log || lowest >= -edge))
      ? undefined
      : inside(values, edge, outlying, log);
  }
  // Of values that increase with their badness, so that one rule serves both sides.
  const sign = outlying === 'above' ? 1 : -1;
  const bad = { min: sign * (sign > 0 ? dense.min : dense.max), max: sign * (sign > 0 ? dense.max : dense.min) };
  // Of the better quarter: in a part of x where most lines have diverged, theirs say nothing of the others.
  const start = Math.max(bad.max, quantileSorted(Float64Array.from(samples, ([first]) => sign * first).sort(), 0.25));
  const width = Math.max(bad.max - bad.min, (start - bad.min) / AROUND, spacing(bad, log));
  const ordinary = bad.max + AROUND * width;
  const kept = values.map((v) => sign * v).filter((v) => v <= ordinary);
  if (sign < 0) kept.reverse();
  const best = Math.min(sign * lowest, sign * highest);
  const most = Math.max(start, quantileSorted(kept, 0.98));
  const edge = most + BEYOND * Math.max(most - best, width);
  const worst = Math.max(sign * lowest, sign * highest);
  return worst - best <= FLATTENED * (edge - best) ? undefined : inside(values, sign * edge, outlying, log);
}

/** Some values of a line, evenly chosen, as the axis measures them; those that it cannot show are left out. */
function sampleOf(line: ArrayLike<number>, most: number, log: boolean): Float64Array {
  const stride = Math.max(1, Math.floor(line.length / most));
  const own = new Float64Array(Math.ceil(line.length / stride));
  let n = 0;
  for (let i = 0; i < line.length; i += stride) {
    const v = line[i];
    if (Number.isFinite(v) && !(log && v <= 0)) own[n++] = log ? Math.log(v) : v;
  }
  return own.subarray(0, n);
}

/** All values in order, each with its weight: lines weigh the same. */
function sorted(samples: readonly Float64Array[]): { readonly values: Float64Array; readonly weights: Float64Array } {
  const length = samples.reduce((sum, own) => sum + own.length, 0);
  const values = new Float64Array(length);
  const weights = new Float64Array(length);
  let at = 0;
  for (const own of samples) {
    values.set(own, at);
    weights.fill(1 / own.length, at, at + own.length);
    at += own.length;
  }
  // Mostly lines have equally many: then it matters not whose a value is, and numbers alone are sorted many times as fast.
  if (samples.every((own) => own.length === samples[0].length)) return { values: values.sort(), weights };
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  return { values: Float64Array.from(order, (i) => values[i]), weights: Float64Array.from(order, (i) => weights[i]) };
}

/** Values that agree to a thousandth have a width too: noise in the last digits is no reason to leave out the rest. */
const spacing = ({ min, max }: Extent, log: boolean): number =>
  log ? 0.05 : 0.02 * Math.max(Math.abs(min), Math.abs(max));

/** The range of the values on the right side of an edge, on the scale of the data. */
function inside(values: Float64Array, edge: number, outlying: Outlying, log: boolean): Extent {
  const back = log ? Math.exp : (v: number): number => v;
  let min = Infinity;
  let max = -Infinity;
  for (const v of values) {
    if (outlying === 'below' ? v < edge : v > edge || (outlying === 'far' && !log && v < -edge)) continue;
    min = Math.min(min, v);
    max = Math.max(max, v);
  }
  return { min: back(min), max: back(max) };
}

/** The narrowest interval that holds a quarter of the weight, and three values: fewer say nothing of how far they spread. */
function densest(values: Float64Array, weights: Float64Array): Extent {
  const wanted = DENSEST * weights.reduce((sum, weight) => sum + weight, 0) - 1e-9;
  let best = { min: values[0], max: values[values.length - 1] };
  let held = 0;
  let to = 0;
  for (let from = 0; from < values.length; from++) {
    while ((held < wanted || to - from < FEWEST) && to < values.length) held += weights[to++];
    if (held < wanted || to - from < FEWEST) break;
    const width = values[to - 1] - values[from];
    if (width < best.max - best.min) best = { min: values[from], max: values[to - 1] };
    held -= weights[from];
  }
  return best;
}

/** The largest number whose distance from its negative is a number too. */
export const LARGEST = 8e307;
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
