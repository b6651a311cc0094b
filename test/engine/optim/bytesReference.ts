/** AdamW with moments in bytes, in float64, by looking levels up in a table: nothing of it is computed as the engine does. */

const BLOCK = 256;
/** Magnitudes that a byte can stand for, from 0 up. */
const FIRST = Array.from({ length: 128 }, (_, k) => (k / 127) ** 4);
const SECOND = Array.from({ length: 256 }, (_, k) => (k / 255) ** 8);

export interface ByteMoments {
  /** −127 to 127, and 0 to 255. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly firstScale: Float64Array;
  readonly secondScale: Float64Array;
}

export const noMoments = (count: number): ByteMoments => ({
  first: new Float64Array(count),
  second: new Float64Array(count),
  firstScale: new Float64Array(Math.ceil(count / BLOCK)),
  secondScale: new Float64Array(Math.ceil(count / BLOCK)),
});

const fraction = (x: number): number => x - Math.floor(x);
/** Places in the interval between two levels above which a number goes up, at update t. */
const threshold = (place: number, t: number, byStep: number): number =>
  fraction(fraction(place * 0.6180339887498949) + fraction(t * byStep));

/** The level below or above y, by the threshold. */
function level(levels: readonly number[], y: number, u: number): number {
  let low = levels.findLastIndex((value) => value <= y);
  if (low < levels.length - 1 && u < (y - levels[low]!) / (levels[low + 1]! - levels[low]!)) low++;
  return low;
}

export interface ByteStep {
  readonly lr: number;
  readonly decay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** From 1. */
  readonly t: number;
}

/** One update of w in place. */
export function stepInBytes(w: Float64Array, g: ArrayLike<number>, kept: ByteMoments, h: ByteStep): void {
  const { lr, decay, beta1, beta2, eps, t } = h;
  for (let begin = 0, block = 0; begin < w.length; begin += BLOCK, block++) {
    const count = Math.min(BLOCK, w.length - begin);
    const [m, v] = [new Float64Array(count), new Float64Array(count)];
    for (let j = 0; j < count; j++) {
      const [i, x] = [begin + j, g[begin + j]!];
      const [k, q] = [kept.first[i]!, kept.second[i]!];
      m[j] = beta1 * Math.sign(k) * FIRST[Math.abs(k)]! * kept.firstScale[block]! + (1 - beta1) * x;
      v[j] = beta2 * SECOND[q]! * kept.secondScale[block]! + (1 - beta2) * x * x;
      const step = m[j]! / (1 - beta1 ** t) / (Math.sqrt(v[j]! / (1 - beta2 ** t)) + eps);
      w[i] = w[i]! * (1 - lr * decay) - lr * step;
    }
    const [most, largest] = [Math.max(...m.map(Math.abs)), Math.max(...v)];
    kept.firstScale[block] = most;
    kept.secondScale[block] = largest;
    for (let j = 0; j < count; j++) {
      const first = most === 0 ? 0 : level(FIRST, Math.abs(m[j]!) / most, threshold(j, t, 0.7548776662466927));
      kept.first[begin + j] = m[j]! < 0 ? -first : first;
      kept.second[begin + j] = largest === 0 ? 0 : level(SECOND, v[j]! / largest, threshold(j, t, 0.5698402909980532));
    }
  }
}
