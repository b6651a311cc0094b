/** Sums up neighbouring points: mean of the finite values, envelope, number of non-finite values, mean step. */

export interface BucketArrays {
  readonly step: Float64Array;
  readonly value: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly nonFinite: Uint32Array;
}

/** Columns of many rows of buckets one behind another: many short arrays take longer to make than to fill. */
export class BucketSheet {
  readonly sum: Float64Array;
  /** Sum of the values that are not finite, for buckets that hold nothing else. */
  readonly odd: Float64Array;
  readonly steps: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly count: Float64Array;
  readonly nonFinite: Uint32Array;
  #taken = 0;

  constructor(size: number) {
    this.sum = new Float64Array(size);
    this.odd = new Float64Array(size);
    this.steps = new Float64Array(size);
    this.low = new Float64Array(size).fill(Infinity);
    this.high = new Float64Array(size).fill(-Infinity);
    this.count = new Float64Array(size);
    this.nonFinite = new Uint32Array(size);
  }

  /** Buckets that nobody has. */
  get free(): number {
    return this.count.length - this.#taken;
  }

  /** @returns where `size` buckets begin that nobody else gets */
  take(size: number): number {
    const at = this.#taken;
    if (size > this.free) throw new RangeError(`${size} buckets on a sheet with room for ${this.free}`);
    this.#taken += size;
    return at;
  }
}

/**
 * A row of buckets being filled. Points and finished smaller buckets can be added in any order.
 *
 * What a bucket says about values that are not finite: `low` and `high` skip NaN but keep infinities; `value` is the
 * mean of the finite values, or, when there are none, the plain sum of the others (so ∞ stays ∞ and NaN stays NaN).
 */
export class Buckets {
  readonly #sheet: BucketSheet;
  /** Its first bucket on the sheet, and how many it has. */
  readonly #at: number;
  readonly #size: number;

  /** @param sheet where its columns lie; it has room for them */
  constructor(size: number, sheet = new BucketSheet(size)) {
    this.#sheet = sheet;
    this.#at = sheet.take(size);
    this.#size = size;
  }

  /** Adds points `from` … `to - 1` of the arrays to one bucket. @param even integers at even distances */
  addPoints(bucket: number, step: Float64Array, value: Float64Array, from: number, to: number, even = false): void {
    const sheet = this.#sheet;
    const at = this.#at + bucket;
    let sum = 0;
    let low = sheet.low[at];
    let high = sheet.high[at];
    for (let i = from; i < to; i++) {
      const v = value[i];
      if (v < low) low = v;
      if (v > high) high = v;
      // True for NaN, ∞ and -∞ alone.
      if (v - v !== 0) {
        sheet.nonFinite[at]++;
        sheet.odd[at] += v;
      } else sum += v;
    }
    sheet.sum[at] += sum;
    sheet.steps[at] += even ? ((step[from] + step[to - 1]) / 2) * (to - from) : sumOf(step, from, to);
    sheet.low[at] = low;
    sheet.high[at] = high;
    sheet.count[at] += to - from;
  }

  /** Adds finished buckets `from` … `to - 1`, of `unit` points each, to one bucket. */
  addBuckets(bucket: number, unit: number, parts: BucketArrays, from: number, to: number): void {
    const sheet = this.#sheet;
    const at = this.#at + bucket;
    for (let i = from; i < to; i++) {
      const finite = unit - parts.nonFinite[i];
      if (finite > 0) sheet.sum[at] += parts.value[i] * finite;
      else sheet.odd[at] += parts.value[i];
      sheet.steps[at] += parts.step[i] * unit;
      if (parts.low[i] < sheet.low[at]) sheet.low[at] = parts.low[i];
      if (parts.high[i] > sheet.high[at]) sheet.high[at] = parts.high[i];
      sheet.nonFinite[at] += parts.nonFinite[i];
    }
    sheet.count[at] += unit * (to - from);
  }

  /** Once, when all was added: sums become means where they lie. */
  finish(): BucketArrays {
    const { sum: value, steps: step, odd, low, high, count, nonFinite } = this.#sheet;
    const [begin, end] = [this.#at, this.#at + this.#size];
    for (let i = begin; i < end; i++) {
      const finite = count[i] - nonFinite[i];
      step[i] /= count[i];
      // Nothing but NaN left both bounds untouched.
      if (low[i] > high[i]) low[i] = high[i] = NaN;
      value[i] = finite === 0 ? odd[i] : mean(value[i], finite, low[i], high[i]);
    }
    const own = <A extends Float64Array | Uint32Array>(column: A): A => column.subarray(begin, end) as A;
    return { step: own(step), value: own(value), low: own(low), high: own(high), nonFinite: own(nonFinite) };
  }
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum;
}

/** Kept inside the envelope: rounding could leave it by a hair, and sums near the largest double overflow. */
export function mean(sum: number, count: number, low: number, high: number): number {
  const value = sum / count;
  if (Number.isNaN(value)) return low / 2 + high / 2;
  return value < low ? low : value > high ? high : value;
}
