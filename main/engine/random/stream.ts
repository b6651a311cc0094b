/**
 * A named sequence of random numbers whose whole state is one integer, the position of the next 32-bit word. Reading at
 * any position costs the same, so a run resumes by storing a number.
 */
import { philox, seedKey, streamId } from './philox.ts';

/** Keeps sequential streams apart from the per-step masks, whose last counter word is a micro-batch index. */
const SEQUENTIAL = 0x80000000;

export class Stream {
  readonly seed: number;
  readonly name: string;
  /** Which of the 2^32 independent sequences of this name, for example the epoch or the document. */
  readonly index: number;
  readonly #k0: number;
  readonly #k1: number;
  readonly #stream: number;
  readonly #block = new Uint32Array(4);
  #blockAt = -1;
  #position = 0;

  constructor(seed: number, name: string, index = 0) {
    const key = seedKey(seed);
    this.seed = seed;
    this.name = name;
    this.index = index;
    this.#k0 = key.seedLo;
    this.#k1 = key.seedHi;
    this.#stream = streamId(name);
  }

  /** Number of 32-bit words drawn so far; assign to jump. */
  get position(): number {
    return this.#position;
  }
  set position(position: number) {
    if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`stream position ${position} is not ≥ 0`);
    this.#position = position;
  }

  /** The next 32 random bits, 0 … 2^32 − 1. */
  nextUint32(): number {
    const lane = this.#position % 4;
    const at = (this.#position - lane) / 4;
    if (at !== this.#blockAt) {
      // Beyond 2^32 blocks the carry goes into the last counter word.
      const carry = SEQUENTIAL + Math.floor(at / 2 ** 32);
      philox(at, this.#stream, this.index, carry, this.#k0, this.#k1, this.#block);
      this.#blockAt = at;
    }
    this.#position++;
    return this.#block[lane];
  }

  /** Uniform in [0, 1) with 24 random bits, as in `fillUniform`. */
  uniform(): number {
    return (this.nextUint32() >>> 8) * 2 ** -24;
  }

  /** Uniform integer in 0 … n − 1, every value exactly equally likely (draws that would bias are rejected). n ≤ 2^53 − 1. */
  int(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`int(n) needs n ≥ 1, not ${n}`);
    if (n <= 2 ** 32) {
      const limit = 2 ** 32 - (2 ** 32 % n);
      for (;;) {
        const bits = this.nextUint32();
        if (bits < limit) return bits % n;
      }
    }
    const limit = 2 ** 53 - (2 ** 53 % n);
    for (;;) {
      const bits = (this.nextUint32() >>> 11) * 2 ** 32 + this.nextUint32();
      if (bits < limit) return bits % n;
    }
  }

  /** Fisher–Yates shuffle in place, every order equally likely. */
  shuffle<T extends Int32Array | Uint32Array | Float64Array>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }
}
