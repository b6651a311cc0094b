/** Columns of numbers that grow at the end without copying everything at each point. */
export class Growing {
  #values: Float64Array;
  length: number;

  /** A column of doubles is kept as it is, and copied when it first grows: it may be shared. */
  constructor(initial: ArrayLike<number>) {
    this.#values = initial instanceof Float64Array ? initial : Float64Array.from(initial);
    this.length = initial.length;
  }

  push(values: ArrayLike<number>): void {
    const needed = this.length + values.length;
    if (needed > this.#values.length) {
      const larger = new Float64Array(Math.max(needed, 2 * this.#values.length, 256));
      larger.set(this.#values.subarray(0, this.length));
      this.#values = larger;
    }
    this.#values.set(values, this.length);
    this.length = needed;
  }

  /** The numbers so far, without a copy; valid until the next push. */
  get view(): Float64Array {
    // The same array for all who ask, as long as it has no room to grow: runs that share it are seen to do so.
    return this.length === this.#values.length ? this.#values : this.#values.subarray(0, this.length);
  }
}
