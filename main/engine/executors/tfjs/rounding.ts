/** Rounding of float32 arrays to the 16-bit formats, to nearest even, in place; results stay float32. */
import type { DType } from '../../graph/value.ts';

const HALF_MAX = 65504;
/** Halfway between the largest half and the next power of two: from here on a half is infinite. */
const HALF_OVERFLOW = 65520;
const HALF_SMALLEST_NORMAL = 2 ** -14;
const HALF_SUBNORMAL_STEP = 2 ** -24;

/** bfloat16: the upper half of a float32. */
export function roundToBfloat16(data: Float32Array): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    if ((word & 0x7fffffff) > 0x7f800000) bits[i] = (word | 0x00400000) & 0xffff0000;
    else bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  }
}

/** IEEE 754 binary16, with subnormals; overflow gives infinity. */
export function roundToHalf(data: Float32Array): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    const size = Math.abs(x);
    if (size < HALF_SMALLEST_NORMAL) data[i] = roundHalfEven(x / HALF_SUBNORMAL_STEP) * HALF_SUBNORMAL_STEP;
    else if (size >= HALF_OVERFLOW) data[i] = x > 0 ? Infinity : -Infinity;
    else if (size > HALF_MAX) data[i] = x > 0 ? HALF_MAX : -HALF_MAX;
    else if (size === size) {
      const word = bits[i]!;
      bits[i] = (word + 0xfff + ((word >>> 13) & 1)) & 0xffffe000;
    }
  }
}

/** To the nearest integer, ties to even; keeps the sign of zero. |x| ≤ 2^10 here, so 2^52 is added without loss. */
function roundHalfEven(x: number): number {
  const magic = x < 0 || Object.is(x, -0) ? -(2 ** 52) : 2 ** 52;
  const rounded = x + magic - magic;
  return rounded === 0 && magic < 0 ? -0 : rounded;
}

/** Rounds to the values of `dtype` when it is a 16-bit format, else leaves `data` alone. */
export function roundTo(dtype: DType, data: Float32Array): void {
  if (dtype === 'bf16') roundToBfloat16(data);
  else if (dtype === 'f16') roundToHalf(data);
}
