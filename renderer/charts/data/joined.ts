/**
 * A curve in two finenesses: the points of a range that was zoomed into, and those of the whole before and behind them, so that a line reaches
 * both edges of a window. Columns are put together when they are first asked for: most charts of many runs never look at an envelope.
 */
import type { Curve } from '../../../preload/charts/series/line.ts';
import { isIncreasing, lowerBound } from '../../../preload/charts/series/line.ts';
import type { RunCurve } from '../../../preload/charts/data/live.ts';

/** Where the points of `fine` go among those of `whole`; the same for all runs that share their steps, as those of a sweep do. */
export interface Seam {
  readonly whole: Float64Array;
  readonly fine: Float64Array;
  /** Points of `whole` before the first of `fine`, and the first one behind its last. */
  readonly from: number;
  readonly to: number;
  /** All steps, and those of `fine` with the nearest of `whole` on either side. */
  readonly step: Float64Array;
  readonly near: Float64Array;
}

/** Points of `whole` that lead to those of `fine`. */
const BESIDE = 2;

export function seamOf(whole: Float64Array, fine: Float64Array): Seam {
  const end = fine[fine.length - 1];
  const from = lowerBound(whole, fine[0]);
  let to = lowerBound(whole, end);
  if (whole[to] === end) to++;
  const near = join(...beside(whole, from, to), fine);
  return { whole, fine, from, to, step: join(whole.subarray(0, from), whole.subarray(to), fine), near };
}

export class JoinedCurve implements RunCurve {
  readonly curve: Columns;
  readonly near: Columns;
  readonly step: Float64Array;
  readonly spacing: number;
  readonly points: number;
  readonly bucket: number;
  readonly increasing: boolean;
  readonly bare: boolean;

  /** @param steps whether x are the steps */
  constructor(whole: RunCurve, fine: RunCurve, seam: Seam, steps: boolean) {
    const { from, to } = seam;
    const [all, part] = [whole.curve, fine.curve];
    this.curve = new Columns(part, (column) => [all[column].subarray(0, from), all[column].subarray(to)]);
    this.near = new Columns(part, (column) => beside(all[column], from, to));
    if (steps) {
      this.curve.x = seam.step;
      this.near.x = seam.near;
    }
    this.step = seam.step;
    this.spacing = whole.spacing;
    this.points = whole.points;
    this.bucket = fine.bucket;
    this.bare = whole.bare || fine.bare;
    this.increasing = steps || isIncreasing(this.curve.x);
  }
}

/** Of a column the points just before `from` and just from `to` on. */
const beside = (column: Float64Array, from: number, to: number): [Float64Array, Float64Array] => [
  column.subarray(Math.max(0, from - BESIDE), from),
  column.subarray(to, to + BESIDE),
];

class Columns implements Curve {
  readonly #fine: Curve;
  readonly #outer: (column: keyof Curve) => readonly [Float64Array, Float64Array];
  #x: Float64Array | undefined;
  #y: Float64Array | undefined;
  #min: Float64Array | undefined;
  #max: Float64Array | undefined;

  /** @param outer what stands before and behind a column of `fine` */
  constructor(fine: Curve, outer: (column: keyof Curve) => readonly [Float64Array, Float64Array]) {
    this.#fine = fine;
    this.#outer = outer;
  }

  get x(): Float64Array {
    return (this.#x ??= this.#join('x'));
  }

  /** Where it is known without joining anything. */
  set x(known: Float64Array) {
    this.#x = known;
  }

  get y(): Float64Array {
    return (this.#y ??= this.#join('y'));
  }

  get min(): Float64Array {
    return (this.#min ??= this.#join('min'));
  }

  get max(): Float64Array {
    return (this.#max ??= this.#join('max'));
  }

  #join(column: keyof Curve): Float64Array {
    const [before, behind] = this.#outer(column);
    return join(before, behind, this.#fine[column]);
  }
}

function join(before: Float64Array, behind: Float64Array, fine: Float64Array): Float64Array {
  const all = new Float64Array(before.length + fine.length + behind.length);
  all.set(before);
  all.set(fine, before.length);
  all.set(behind, before.length + fine.length);
  return all;
}
