/** Arrays of the device's types with what they hold as numbers. */
import type { Random } from '../native/harness.ts';
import { arrayOf, numbersOf } from './harness.ts';
import type { FloatType } from './harness.ts';

export const FLOAT_TYPES: readonly FloatType[] = ['f32', 'bf16', 'f16'];

/** How far a result that is rounded to a type may be off, relatively; for f32 a few roundings. */
export const NEAR: Readonly<Record<FloatType, number>> = { f32: 2e-6, bf16: 4e-3, f16: 5.1e-4 };

export interface DeviceFloats {
  readonly type: FloatType;
  readonly data: Float32Array | Uint16Array;
  /** What the device holds now. */
  values(): Float32Array;
}

export function floats(type: FloatType, numbers: Float32Array): DeviceFloats {
  const data = arrayOf(type, Float32Array.from(numbers));
  return { type, data, values: () => Float32Array.from(numbersOf(type, data)) };
}

export const randomFloats = (random: Random, type: FloatType, n: number, scale = 1): DeviceFloats =>
  floats(type, random.array(n, scale));

/** What a kernel is to write; what it leaves out stays NaN. */
export const unwritten = (type: FloatType, n: number): DeviceFloats => floats(type, new Float32Array(n).fill(NaN));
