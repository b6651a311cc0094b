/**
 * Philox4x32-10, the counter-based random number generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3" (SC 2011). Four 32-bit counter words and two 32-bit key words give four 32-bit random words, with no
 * state: the number at any place of any stream can be computed on its own. The native executors implement the same
 * function, so masks are equal bit for bit everywhere.
 *
 * Counter layout used by Sweeplab:  c0 = floor(position / 4) · c1 = stream · c2 = step · c3 = micro-batch; lane = position % 4.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const TWO_POW_MINUS_32 = 2 ** -32;
const TWO_POW_MINUS_24 = 2 ** -24;

/** The 64-bit key of a generator as two 32-bit words. */
export interface PhiloxKey {
  readonly seedLo: number;
  readonly seedHi: number;
}

/** Splits a seed (an integer from 0 to 2^53 − 1) into the two key words. */
export function seedKey(seed: number): PhiloxKey {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed must be an integer from 0 to 2^53 − 1, not ${seed}`);
  return { seedLo: seed >>> 0, seedHi: Math.floor(seed / 2 ** 32) >>> 0 };
}

/** A stable 32-bit number for a stream's name: FNV-1a over its UTF-8 bytes. */
export function streamId(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * One block: out[0..3] = Philox4x32-10(counter c0..c3, key k0, k1). All words are taken modulo 2^32.
 *
 * High half of a 32×32-bit product: with lo = the exact low half, (a·M as a double) − lo is within 2^12 of a multiple of
 * 2^32, so adding one half and truncating gives the high half exactly.
 */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
  c0 >>>= 0;
  c1 >>>= 0;
  c2 >>>= 0;
  c3 >>>= 0;
  for (let round = 0; round < 10; round++) {
    const lo0 = Math.imul(c0, MULTIPLIER_0) >>> 0;
    const hi0 = ((c0 * MULTIPLIER_0 - lo0) * TWO_POW_MINUS_32 + 0.5) >>> 0;
    const lo1 = Math.imul(c2, MULTIPLIER_1) >>> 0;
    const hi1 = ((c2 * MULTIPLIER_1 - lo1) * TWO_POW_MINUS_32 + 0.5) >>> 0;
    c0 = (hi1 ^ c1 ^ k0) >>> 0;
    c1 = lo1;
    c2 = (hi0 ^ c3 ^ k1) >>> 0;
    c3 = lo0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * Uniform numbers in [0, 1): out[p] = (bits(p) >>> 8) · 2^−24, where bits(p) is lane p % 4 of the block with counter
 * (floor(p / 4), stream, step, micro). Exact in float32 and equal to what the native executors draw.
 * `offset` draws elements offset .. offset + out.length − 1 of the same sequence.
 */
export function fillUniform(
  out: Float32Array,
  key: PhiloxKey,
  stream: number,
  step: number,
  micro: number,
  offset = 0,
): void {
  const block = new Uint32Array(4);
  const { seedLo, seedHi } = key;
  const n = out.length;
  let i = 0;
  let counter = Math.floor(offset / 4);
  let lane = offset % 4;
  while (i < n) {
    philox(counter++, stream, step, micro, seedLo, seedHi, block);
    if (lane === 0 && n - i >= 4) {
      out[i] = (block[0] >>> 8) * TWO_POW_MINUS_24;
      out[i + 1] = (block[1] >>> 8) * TWO_POW_MINUS_24;
      out[i + 2] = (block[2] >>> 8) * TWO_POW_MINUS_24;
      out[i + 3] = (block[3] >>> 8) * TWO_POW_MINUS_24;
      i += 4;
    } else {
      for (; lane < 4 && i < n; lane++) out[i++] = (block[lane] >>> 8) * TWO_POW_MINUS_24;
      lane = 0;
    }
  }
}

/**
 * Standard normal numbers by Box and Muller (1958), computed in float64 from pairs of 32-bit words: lanes (0, 1) give
 * elements 4b and 4b + 1, lanes (2, 3) give 4b + 2 and 4b + 3. u1 = (bits + 1) · 2^−32 is never zero.
 * The sequence depends on the seed and the stream's name only, so a longer array starts with the shorter one. `out` gets the numbers
 * from `offset` on, a multiple of 4.
 */
export function fillNormal(out: Float32Array | Float64Array, seed: number, streamName: string, offset = 0): void {
  const { seedLo, seedHi } = seedKey(seed);
  const stream = streamId(streamName);
  const block = new Uint32Array(4);
  const n = out.length;
  for (let i = 0; i < n; i += 4) {
    philox((offset + i) / 4, stream, 0, 0, seedLo, seedHi, block);
    for (let pair = 0; pair < 2; pair++) {
      const at = i + 2 * pair;
      if (at >= n) return;
      const radius = Math.sqrt(-2 * Math.log((block[2 * pair] + 1) * TWO_POW_MINUS_32));
      const angle = 2 * Math.PI * (block[2 * pair + 1] * TWO_POW_MINUS_32);
      out[at] = radius * Math.cos(angle);
      if (at + 1 < n) out[at + 1] = radius * Math.sin(angle);
    }
  }
}
