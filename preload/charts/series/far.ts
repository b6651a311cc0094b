/** What lies so far from all the rest that a frame of both would show neither: of metrics of which nothing is known, and of x. */
import { extentOf } from './extent.ts';
import type { Extent } from './extent.ts';
import { samplesOf, sorted } from './samples.ts';
import type { Weighted } from './samples.ts';

/** More than this share of the values is no exception, wherever it lies. Lines weigh the same. */
const MOST = 0.25;
/** Nothing so small is called far on a linear axis, beside values that are smaller yet: those are the dust of arithmetic. */
const DUST = 1e-3;

/**
 * The range of the values without those that are `factor` times the rest, with nothing between; on a logarithmic axis also those that are
 * as much smaller. Undefined where there are none, or where they are too many to be exceptions.
 */
export function withoutFar(lines: readonly ArrayLike<number>[], log: boolean, factor: number): Extent | undefined {
  const whole = extentOf(lines, { log });
  if (whole === undefined) return undefined;
  const samples = samplesOf(lines, log);
  const all = sorted(samples);
  if (log) {
    const isGap = (a: number, b: number): boolean => b - a > Math.log(factor);
    const high = Math.exp(lastBeforeGap(withMost(all, Math.log(whole.max)), isGap));
    const low = Math.exp(-lastBeforeGap(withMost(reversed(all), -Math.log(whole.min)), isGap));
    const range = { from: low * (1 - ROUNDED), to: high * (1 + ROUNDED) };
    return range.from > whole.min || range.to < whole.max ? extentOf(lines, { log, ...range }) : undefined;
  }
  const sizes = sorted(samples.map((own) => own.map(Math.abs)));
  const largest = Math.max(Math.abs(whole.min), Math.abs(whole.max));
  const isGap = (a: number, b: number): boolean => a > 0 && b / factor > Math.max(a, DUST);
  const edge = lastBeforeGap(withMost(sizes, largest), isGap);
  // A sample may miss some on this side of the gap.
  return edge < largest ? extentOf(lines, { from: -2 * edge, to: 2 * edge }) : undefined;
}

/** Logarithms and back again. */
const ROUNDED = 1e-9;

/** The largest value below the first gap beyond which few enough values lie; the largest of all where there is none. */
function lastBeforeGap({ values, weights }: Weighted, isGap: (value: number, next: number) => boolean): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let beyond = total;
  for (let i = 0; i + 1 < values.length; i++) {
    beyond -= weights[i];
    if (beyond <= MOST * total + 1e-9 && isGap(values[i], values[i + 1])) return values[i];
  }
  return values[values.length - 1];
}

/** With the largest of all values, which a sample may lack: one among thousands is what an axis has to be kept from. */
const withMost = ({ values, weights }: Weighted, most: number): Weighted =>
  values[values.length - 1] >= most
    ? { values, weights }
    : { values: withOneMore(values, most), weights: withOneMore(weights, 0) };

function withOneMore(column: Float64Array, last: number): Float64Array {
  const all = new Float64Array(column.length + 1);
  all.set(column);
  all[column.length] = last;
  return all;
}

const reversed = ({ values, weights }: Weighted): Weighted => ({
  values: values.map((v) => -v).reverse(),
  weights: weights.slice().reverse(),
});
