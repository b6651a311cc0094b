/** Numbers of 16 bits as raw words: bf16 (the upper half of an f32) and f16 (IEEE 754 binary16); and bytes. */

import type { DType } from '../graph/value.ts';

// Words are taken as signed: numbers from 2^31 on are objects on the heap until the loop is compiled, and millions of them make the process grow.

/** Rounds to nearest even into the beginning of `words`, which is returned; NaN stays NaN. */
function roundToBf16(data: Float32Array, words: Uint16Array): Uint16Array {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    words[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return words.subarray(0, data.length);
}

/** The second half of an array's own memory, as one 16-bit word per element. */
export function farHalf(data: Float32Array): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset + 2 * data.length, data.length);
}

/** The numbers, exactly. `words` may be the {@link farHalf} of `into`: a word is read before its place is written. */
function expandBf16(words: Uint16Array, into: Float32Array): Float32Array {
  const bits = new Int32Array(into.buffer, into.byteOffset, words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return into;
}

/** To f16, to nearest even with subnormals, into the beginning of `words`, which is returned. */
function roundToF16(data: Float32Array, words: Uint16Array): Uint16Array {
  const halves = new Float16Array(words.buffer, words.byteOffset, data.length);
  halves.set(data);
  return words.subarray(0, data.length);
}

/** The numbers of f16 words, exactly. `words` may be the {@link farHalf} of `into`. */
function expandF16(words: Uint16Array, into: Float32Array): Float32Array {
  const halves = new Float16Array(words.buffer, words.byteOffset, words.length);
  for (let i = 0; i < halves.length; i++) into[i] = halves[i]!;
  return into;
}

/** Numbers as the words of a 16-bit type. */
export const TO_WORDS = { bf16: roundToBf16, f16: roundToF16 } as const;
/** The words of a 16-bit type as numbers. */
export const FROM_WORDS = { bf16: expandBf16, f16: expandF16 } as const;

export type Half = keyof typeof TO_WORDS;
export const isHalf = (dtype: DType): dtype is Half => dtype === 'bf16' || dtype === 'f16';

/** Whole numbers from 0 to 255 as bytes, into the beginning of the memory of `words`. */
export function toBytes(data: Float32Array, words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, data.length);
  bytes.set(data);
  return bytes;
}

/** The last quarter of an array's own memory, as one byte per element. */
export function lastQuarter(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset + 3 * data.length, data.length);
}

/** The numbers of bytes. `bytes` may be the {@link lastQuarter} of `into`: a byte is read before its place is written. */
export function expandBytes(bytes: Uint8Array, into: Float32Array): Float32Array {
  for (let i = 0; i < bytes.length; i++) into[i] = bytes[i]!;
  return into;
}
