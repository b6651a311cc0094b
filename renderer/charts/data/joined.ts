/**
 * A curve in two finenesses: the points of a range that was zoomed into, and those of the whole before and behind them, so that a line reaches
 * both edges of a window. Columns are put together when they are first asked for: most charts of many runs never look at an envelope.
 */
import type { Curve } from '../series/line.ts';
import { isIncreasing, lowerBound } from '../series/line.ts';
import type { RunCurve } from './live.ts';

/** Where the points of `fine` go among those of `whole`; the same for all runs that share their steps, as those of a sweep do. */
export interface Seam {
  readonly whole: Float64Array;
  readonly fine: Float64Array;
  /** Points of `whole` before the first of `fine`, and the first one behind its last. */
  readonly from: number;
  readonly to: number;
  readonly step: Float64Array;
}

export function seamOf(whole: Float64Array, fine: Float64Array): Seam {
  const end = fine[fine.length - 1];
  const from = lowerBound(whole, fine[0]);
  let to = lowerBound(whole, end);
  if (whole[to] === end) to++;
  return { whole, fine, from, to, step: join(whole, fine, from, to) };
}

export class JoinedCurve implements RunCurve {
  readonly curve: Curve;
  readonly step: Float64Array;
  readonly spacing: number;
  readonly points: number;
  readonly bucket: number;
  readonly increasing: boolean;

  /** @param steps whether x are the steps */
  constructor(whole: RunCurve, fine: RunCurve, seam: Seam, steps: boolean) {
    this.curve = new Columns(whole.curve, fine.curve, seam, steps ? seam.step : undefined);
    this.step = seam.step;
    this.spacing = whole.spacing;
    this.points = whole.points;
    this.bucket = fine.bucket;
    this.increasing = steps || isIncreasing(this.curve.x);
  }
}

class Columns implements Curve {
  readonly #whole: Curve;
  readonly #fine: Curve;
  readonly #seam: Seam;
  #x: Float64Array | undefined;
  #y: Float64Array | undefined;
  #min: Float64Array | undefined;
  #max: Float64Array | undefined;

  constructor(whole: Curve, fine: Curve, seam: Seam, x: Float64Array | undefined) {
    this.#whole = whole;
    this.#fine = fine;
    this.#seam = seam;
    this.#x = x;
  }

  get x(): Float64Array {
    return (this.#x ??= this.#join('x'));
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
    return join(this.#whole[column], this.#fine[column], this.#seam.from, this.#seam.to);
  }
}

function join(whole: Float64Array, fine: Float64Array, from: number, to: number): Float64Array {
  const all = new Float64Array(from + fine.length + whole.length - to);
  all.set(whole.subarray(0, from));
  all.set(fine, from);
  all.set(whole.subarray(to), from + fine.length);
  return all;
}
