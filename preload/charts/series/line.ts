/** A curve of one run, ready for the statistics: x and y of equal length, NaN in y is a gap. */
import type { Series } from '../../contract/metrics.ts';

export interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Lowest and highest value behind each point; equal to y where nothing was reduced. */
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** Whether every x is finite and greater than the one before it, so that y is a function of x. */
export function isIncreasing(x: ArrayLike<number>): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i]) || (i > 0 && x[i] <= x[i - 1])) return false;
  return true;
}

/** Drops points whose x is not finite (the x metric does not reach them), and takes `x` where one was read. */
export function curveOf(series: Series, transform?: (step: number) => number): Curve {
  // Steps always are finite.
  const x = series.x ?? (transform === undefined ? series.step : series.step.map(transform));
  const all = (series.x === undefined && transform === undefined) || x.every(Number.isFinite);
  const keep: number[] = [];
  if (!all) for (let i = 0; i < x.length; i++) if (Number.isFinite(x[i])) keep.push(i);
  const pick = (from: Float64Array): Float64Array => (all ? from : Float64Array.from(keep, (i) => from[i]));
  return {
    x: pick(x),
    y: pick(series.value),
    // Asked for when they are looked at: they may have to be widened first.
    get min() {
      return pick(series.min);
    },
    get max() {
      return pick(series.max);
    },
  };
}

/** Mean distance between logged points (not between reduced ones): what a smoothing weight refers to. */
export function loggedSpacing(series: Pick<Series, 'step' | 'points'>): number {
  const { step, points } = series;
  if (step.length < 2 || points < 2) return Number.NaN;
  return (step[step.length - 1] - step[0]) / (points - 1);
}

/** Index of the first x that is not below `value`; x increases. */
export function lowerBound(x: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** y at `at`, linear between neighbours; NaN outside the curve's own range and inside a gap. x increases. */
export function valueAt(x: ArrayLike<number>, y: ArrayLike<number>, at: number): number {
  const i = lowerBound(x, at);
  if (i >= x.length) return Number.NaN;
  if (x[i] === at) return y[i];
  if (i === 0) return Number.NaN;
  const share = (at - x[i - 1]) / (x[i] - x[i - 1]);
  return y[i - 1] + share * (y[i] - y[i - 1]);
}

/** `valueAt` for many places, which increase. */
export function valuesAt(x: ArrayLike<number>, y: ArrayLike<number>, places: Float64Array): Float64Array {
  const values = new Float64Array(places.length);
  let i = 0;
  for (let k = 0; k < places.length; k++) {
    const at = places[k];
    while (i < x.length && x[i] < at) i++;
    if (i < x.length && x[i] === at) values[k] = y[i];
    else if (i === 0 || i >= x.length) values[k] = Number.NaN;
    else values[k] = y[i - 1] + ((at - x[i - 1]) / (x[i] - x[i - 1])) * (y[i] - y[i - 1]);
  }
  return values;
}

/** Index of the point nearest to `at`; −1 when there is none. x increases. */
export function nearestIndex(x: ArrayLike<number>, at: number): number {
  if (x.length === 0) return -1;
  const i = lowerBound(x, at);
  if (i === 0) return 0;
  if (i === x.length) return x.length - 1;
  return at - x[i - 1] <= x[i] - at ? i - 1 : i;
}
