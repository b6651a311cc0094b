/**
 * The part of curves that a window of x shows, with two points on either side: the one that leads to the edge, and the one behind it, by which
 * that is seen to be no dot. Means, frames and drawings of a zoomed chart need no more.
 */
import type { Curve } from '../series/line.ts';
import { lowerBound } from '../series/line.ts';
import type { Extent } from '../series/extent.ts';

const BESIDE = 2;

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly x: Float64Array;
}

export class Window {
  readonly #extent: Extent;
  /** Runs that share their x share the part of it too, and are seen to do so. */
  readonly #cuts = new Map<Float64Array, Cut>();

  constructor(extent: Extent) {
    this.#extent = extent;
  }

  /** @param curve of increasing x; a column is cut when it is first asked for */
  of(curve: Curve): Curve {
    const { from, to, x } = this.#cutOf(curve.x);
    if (x === curve.x) return curve;
    return {
      x,
      get y() {
        return curve.y.subarray(from, to);
      },
      get min() {
        return curve.min.subarray(from, to);
      },
      get max() {
        return curve.max.subarray(from, to);
      },
    };
  }

  /** Whether what the window shows of `all` is in `near`, a part of it. */
  within(near: Float64Array, all: Float64Array): boolean {
    const { min, max } = this.#extent;
    // As many points on either side as `of` keeps: a mean at the second one would else be of fewer runs.
    const before = near[0] === all[0] || near[BESIDE - 1] < min;
    return before && (near[near.length - 1] === all[all.length - 1] || near[near.length - BESIDE] > max);
  }

  /** A column that stands beside `x`. */
  column(x: Float64Array, column: Float64Array): Float64Array {
    const { from, to, x: own } = this.#cutOf(x);
    return own === x ? column : column.subarray(from, to);
  }

  #cutOf(x: Float64Array): Cut {
    const known = this.#cuts.get(x);
    if (known !== undefined) return known;
    const from = Math.max(0, lowerBound(x, this.#extent.min) - BESIDE);
    let to = lowerBound(x, this.#extent.max);
    if (x[to] === this.#extent.max) to++;
    to = Math.min(x.length, to + BESIDE);
    const cut = { from, to, x: from === 0 && to === x.length ? x : x.subarray(from, to) };
    this.#cuts.set(x, cut);
    return cut;
  }
}
