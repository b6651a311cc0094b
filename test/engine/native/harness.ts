/** What the kernel tests share: arrays in addon memory, random numbers, 16-bit numbers, and comparison against double precision. */
import { expect } from 'vitest';
import { loadNative, pointer, signaturesOf } from '../../../main/engine/native/addon.ts';
import type { Native } from '../../../main/engine/native/addon.ts';
import type { Argument, EnumName, Signatures } from '../../../main/engine/native/encode.ts';
import { looseRecord } from '../../oracles/kernelCall.ts';

const result = loadNative();
export const native = result.native as Native;
/** Shown in the name of each suite, so that a skipped one says why. */
export const skipped = result.native === undefined ? ` (SKIPPED: ${result.reason})` : '';
export const levels = native === undefined ? ['none'] : native.info().testLevels;
/** What the addon declares. */
export const signatures: Signatures = native === undefined ? { kernels: {}, enums: {} } : signaturesOf(native);
/** Number of a name, for what follows the fields of a call. */
export const numberOf = (kind: string, name: string): number => signatures.enums[kind]!.indexOf(name);

/** A new seed on every run; set SWEEPLAB_TEST_SEED to repeat a failure. */
export const seed = Number(process.env['SWEEPLAB_TEST_SEED'] ?? Date.now() % 2 ** 31);

export class Random {
  #state: number;
  constructor(salt: number) {
    this.#state = (seed + salt * 7919) | 0;
  }
  /** mulberry32 */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  int(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!;
  }
  array(n: number, scale = 1): Float32Array {
    const numbers = new Float32Array(n);
    for (let i = 0; i < n; i++) numbers[i] = (this.uniform() * 2 - 1) * scale;
    return numbers;
  }
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
export function toBf16(x: number): number {
  float[0] = x;
  const u = bits[0]!;
  return Number.isNaN(x) ? (u >>> 16) | 0x40 : ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}
export function fromBf16(h: number): number {
  bits[0] = h << 16;
  return float[0]!;
}
export const roundBf16 = (x: number): number => fromBf16(toBf16(x));
/** Of a whole array: `from` with a function takes several times as long as a loop, and arrays have millions of elements. */
function allToBf16(data: Float32Array): Uint16Array {
  const low = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) low[i] = toBf16(data[i]!);
  return low;
}
function allFromBf16(low: Uint16Array): Float32Array {
  const data = new Float32Array(low.length);
  for (let i = 0; i < low.length; i++) data[i] = fromBf16(low[i]!);
  return data;
}

const wordsOf = (data: Float32Array, type: Half): Uint16Array =>
  type === 'bf16' ? allToBf16(data) : new Uint16Array(Float16Array.from(data).buffer);
const ofWords = (low: Uint16Array, type: Half): Float32Array =>
  type === 'bf16' ? allFromBf16(low) : Float32Array.from(new Float16Array(low.buffer, low.byteOffset, low.length));

export type Half = 'bf16' | 'f16';
export type Type = 'f32' | Half;
export const TYPES: readonly Type[] = ['f32', 'bf16', 'f16'];
export const HALVES: readonly Half[] = ['bf16', 'f16'];

/** An array in addon memory. `values` are what the kernel sees: rounded when it has 16 bits. */
export interface Buffer {
  p: number;
  type: string;
  length: number;
  values: Float32Array;
}

/** Memory of one test; every block is freed by `clear`. Arrays are followed by a guard that no kernel may touch. */
export class Arena {
  #blocks: { block: number; bytes: number }[] = [];
  #allocate(bytes: number): number {
    const block = native.allocate(bytes + 64);
    native.write(block, bytes, new Uint8Array(64).fill(0xa5));
    this.#blocks.push({ block, bytes });
    return block;
  }
  put(data: Float32Array, type: Type = 'f32'): Buffer {
    const block = this.#allocate(data.length * (type === 'f32' ? 4 : 2));
    if (type === 'f32') {
      native.write(block, 0, data);
      return { p: pointer(block, 0), type, length: data.length, values: data };
    }
    const low = wordsOf(data, type);
    native.write(block, 0, low);
    return { p: pointer(block, 0), type, length: data.length, values: ofWords(low, type) };
  }
  empty(length: number, type: Type = 'f32'): Buffer {
    return this.put(new Float32Array(length).fill(7.25), type);
  }
  bytes(bytes: number): Buffer {
    const block = this.#allocate(bytes);
    return { p: pointer(block, 0), type: 'u8', length: bytes, values: new Float32Array() };
  }
  raw(data: Int32Array | Uint32Array | Uint8Array): Buffer {
    const block = this.#allocate(data.byteLength);
    native.write(block, 0, data);
    return { p: pointer(block, 0), type: 'i32', length: data.length, values: new Float32Array() };
  }
  get(buffer: Buffer): Float32Array {
    const block = buffer.p / 2 ** 44;
    if (buffer.type === 'f32') {
      const out = new Float32Array(buffer.length);
      native.read(block, 0, out);
      return out;
    }
    const out = new Uint16Array(buffer.length);
    native.read(block, 0, out);
    return ofWords(out, buffer.type as Half);
  }
  ints(buffer: Buffer): Int32Array {
    const out = new Int32Array(buffer.length);
    native.read(buffer.p / 2 ** 44, 0, out);
    return out;
  }
  /** Frees everything, after checking that nothing wrote behind an array. */
  clear(): void {
    const guard = new Uint8Array(64);
    for (const { block, bytes } of this.#blocks) {
      native.read(block, bytes, guard);
      const intact = guard.every((byte) => byte === 0xa5);
      native.free(block);
      if (!intact) throw new Error('a kernel wrote behind an array');
    }
    this.#blocks = [];
  }
}

/** Runs one kernel now. */
export function call(
  name: string,
  args: Readonly<Record<string, Argument>>,
  extra: readonly (number | EnumName)[] = [],
): void {
  const program = native.compile(Float64Array.from(looseRecord(signatures, name, args, extra)));
  native.runSync(program);
  native.release(program);
}

/** |got − want| ≤ tolerance·(scale + |want|) everywhere; `scale` stands for the size of the terms that were added up. */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  scale: number | ArrayLike<number>,
  what: string,
): void {
  let worst = 0;
  let at = -1;
  for (let i = 0; i < want.length; i++) {
    const s = (typeof scale === 'number' ? scale : scale[i]!) + Math.abs(want[i]!);
    const same = Number.isNaN(want[i]!) ? Number.isNaN(got[i]!) : got[i] === want[i];
    const error = same ? 0 : Math.abs(got[i]! - want[i]!) / s;
    if (!(error <= worst)) {
      worst = error;
      at = i;
      if (Number.isNaN(error)) break;
    }
  }
  expect(
    worst,
    `${what}: element ${at} is ${got[at]}, should be ${want[at]}, relative error above ${tolerance} (seed ${seed})`,
  ).toBeLessThanOrEqual(tolerance);
  expect(got.length).toBe(want.length);
}
