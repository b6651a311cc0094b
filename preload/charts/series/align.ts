/**
 * Several runs on one x, so that they can be averaged. A run contributes only inside its own range: an ended curve is never held,
 * so the mean at the far end is that of the runs that got there, and N says how many these are.
 */
import type { Curve } from './line.ts';
import { isIncreasing, valuesAt } from './line.ts';

export interface Aligned {
  readonly x: Float64Array;
  /** One row per run: its value at each x, NaN outside its range. */
  readonly rows: readonly Float64Array[];
  /** Lowest and highest value of each run around each x; without entries where these were not asked for. */
  readonly low: readonly Float64Array[];
  readonly high: readonly Float64Array[];
  /** `shared`: all runs have the same x. `interpolated`: linear between each run's own points. `paired`: by position (x is not increasing). */
  readonly how: 'shared' | 'interpolated' | 'paired';
}

/** Points of the common grid when the runs' own x together are more. */
const GRID = 1000;

/** @param envelope whether `low` and `high` are wanted */
export function align(curves: readonly Curve[], log = false, envelope = true): Aligned {
  const filled = curves.filter(({ x }) => x.length > 0);
  if (filled.length === 0) return { x: new Float64Array(), rows: [], low: [], high: [], how: 'shared' };
  const first = filled[0].x;
  // Runs of a sweep share one array.
  if (!isIncreasing(first) || !filled.every(({ x }) => x === first || isIncreasing(x))) return paired(filled);
  if (filled.every(({ x }) => same(x, first)))
    return {
      x: first,
      rows: filled.map(({ y }) => y),
      low: envelope ? filled.map(({ min }) => min) : [],
      high: envelope ? filled.map(({ max }) => max) : [],
      how: 'shared',
    };
  const x = commonGrid(filled, log);
  const take = (key: 'y' | 'min' | 'max'): Float64Array[] => filled.map((curve) => valuesAt(curve.x, curve[key], x));
  return {
    x,
    rows: take('y'),
    low: envelope ? take('min') : [],
    high: envelope ? take('max') : [],
    how: 'interpolated',
  };
}

function same(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Every x of every run while these are few; otherwise evenly spaced ones, always with both ends of each run. */
function commonGrid(curves: readonly Curve[], log: boolean): Float64Array {
  const total = curves.reduce((sum, { x }) => sum + x.length, 0);
  if (total <= 2 * GRID) return new Float64Array(new Set(curves.flatMap(({ x }) => [...x]))).sort();
  let low = Infinity;
  let high = -Infinity;
  const xs = new Set<number>();
  for (const { x } of curves) {
    low = Math.min(low, x[0]);
    high = Math.max(high, x[x.length - 1]);
    xs.add(x[0]);
    xs.add(x[x.length - 1]);
  }
  const logarithmic = log && low > 0;
  for (let i = 0; i < GRID; i++) {
    const share = i / (GRID - 1);
    xs.add(logarithmic ? low * (high / low) ** share : low + share * (high - low));
  }
  return new Float64Array([...xs].filter((v) => v >= low && v <= high)).sort();
}

/** x of one run goes back and forth (a metric against another): the i-th points belong together, x is their mean. */
function paired(curves: readonly Curve[]): Aligned {
  const length = Math.max(...curves.map(({ x }) => x.length));
  const pad = (values: Float64Array): Float64Array =>
    Float64Array.from({ length }, (_, i) => (i < values.length ? values[i] : Number.NaN));
  const x = Float64Array.from({ length }, (_, i) => {
    const here = curves.filter((curve) => i < curve.x.length);
    return here.reduce((sum, curve) => sum + curve.x[i], 0) / here.length;
  });
  return {
    x,
    rows: curves.map(({ y }) => pad(y)),
    low: curves.map(({ min }) => pad(min)),
    high: curves.map(({ max }) => pad(max)),
    how: 'paired',
  };
}
