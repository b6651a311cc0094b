/** Sums up neighbouring points: mean of the finite values, envelope, number of non-finite values, mean step. */

export interface BucketArrays {
  readonly step: Float64Array;
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly nonFinite: Uint32Array;
}

/**
 * A row of buckets being filled. Points and finished smaller buckets can be added in any order.
 *
 * What a bucket says about values that are not finite: `low` and `high` skip NaN but keep infinities; `value` is the
 * mean of the finite values, or, when there are none, the plain sum of the others (so ∞ stays ∞ and NaN stays NaN).
 */
export class Buckets {
  readonly #sum: Float64Array;
  /** Sum of the values that are not finite, for buckets that hold nothing else. */
  readonly #odd: Float64Array;
  readonly #steps: Float64Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #count: Float64Array;
  readonly #nonFinite: Uint32Array;

  constructor(size: number) {
    this.#sum = new Float64Array(size);
    this.#odd = new Float64Array(size);
    this.#steps = new Float64Array(size);
    this.#low = new Float64Array(size).fill(Infinity);
    this.#high = new Float64Array(size).fill(-Infinity);
    this.#count = new Float64Array(size);
    this.#nonFinite = new Uint32Array(size);
  }

  /** Adds points `from` … `to - 1` of the arrays to one bucket. */
  addPoints(bucket: number, step: Float64Array, value: Float64Array, from: number, to: number): void {
    let sum = 0;
    let steps = 0;
    let low = this.#low[bucket];
    let high = this.#high[bucket];
    for (let i = from; i < to; i++) {
      const v = value[i];
      steps += step[i];
      if (v < low) low = v;
      if (v > high) high = v;
      // True for NaN, ∞ and -∞ alone.
      if (v - v !== 0) {
        this.#nonFinite[bucket]++;
        this.#odd[bucket] += v;
      } else sum += v;
    }
    this.#sum[bucket] += sum;
    this.#steps[bucket] += steps;
    this.#low[bucket] = low;
    this.#high[bucket] = high;
    this.#count[bucket] += to - from;
  }

  /** Adds finished buckets `from` … `to - 1`, of `unit` points each, to one bucket. */
  addBuckets(bucket: number, unit: number, parts: BucketArrays, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const finite = unit - parts.nonFinite[i];
      if (finite > 0) this.#sum[bucket] += parts.value[i] * finite;
      else this.#odd[bucket] += parts.value[i];
      this.#steps[bucket] += parts.step[i] * unit;
      if (parts.low[i] < this.#low[bucket]) this.#low[bucket] = parts.low[i];
      if (parts.high[i] > this.#high[bucket]) this.#high[bucket] = parts.high[i];
      this.#nonFinite[bucket] += parts.nonFinite[i];
    }
    this.#count[bucket] += unit * (to - from);
  }

  finish(): BucketArrays {
    const size = this.#count.length;
    const step = new Float64Array(size);
    const value = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const finite = this.#count[i] - this.#nonFinite[i];
      step[i] = this.#steps[i] / this.#count[i];
      // Nothing but NaN left both bounds untouched.
      if (this.#low[i] > this.#high[i]) this.#low[i] = this.#high[i] = NaN;
      value[i] = finite === 0 ? this.#odd[i] : mean(this.#sum[i], finite, this.#low[i], this.#high[i]);
    }
    return { step, value, low: this.#low, high: this.#high, nonFinite: this.#nonFinite };
  }
}

/** Kept inside the envelope: rounding could leave it by a hair, and sums near the largest double overflow. */
function mean(sum: number, count: number, low: number, high: number): number {
  const value = sum / count;
  if (Number.isNaN(value)) return low / 2 + high / 2;
  return value < low ? low : value > high ? high : value;
}
