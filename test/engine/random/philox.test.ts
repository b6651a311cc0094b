import { describe, expect, test } from 'vitest';
import { fillNormal, fillUniform, philox, seedKey, streamId } from '../../../main/engine/random/philox.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

const hex = (words: Uint32Array) => [...words].map((w) => w.toString(16).padStart(8, '0')).join(' ');

/** Independent 64-bit arithmetic: catches any error in the double-precision high-half trick. */
function philoxBigInt(counter: readonly number[], key: readonly number[]): Uint32Array {
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = c0 * 0xd2511f53n;
    const p1 = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return Uint32Array.from([c0, c1, c2, c3], Number);
}

describe('philox', () => {
  test('gives the published Random123 vectors (catches a wrong constant, round count or word order)', () => {
    const out = new Uint32Array(4);
    philox(0, 0, 0, 0, 0, 0, out);
    expect(hex(out)).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    const ones = 0xffffffff;
    philox(ones, ones, ones, ones, ones, ones, out);
    expect(hex(out)).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd');
    philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, out);
    expect(hex(out)).toBe('d16cfe09 94fdcceb 5001e420 24126ea1');
  });

  test('equals 64-bit arithmetic on random and extreme words (catches rounding in the high half)', () => {
    const out = new Uint32Array(4);
    const extremes = [0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0xffff0000, 0x0000ffff];
    const pick = () =>
      Math.random() < 0.3 ? extremes[Math.floor(Math.random() * extremes.length)] : Math.floor(Math.random() * 2 ** 32);
    for (let trial = 0; trial < 2000; trial++) {
      const [c0, c1, c2, c3, k0, k1] = Array.from({ length: 6 }, pick);
      philox(c0, c1, c2, c3, k0, k1, out);
      expect(hex(out)).toBe(hex(philoxBigInt([c0, c1, c2, c3], [k0, k1])));
    }
  });

  test('uniform numbers follow the documented counter layout at any offset and length (catches lane mix-ups)', () => {
    const key = seedKey(2 ** 40 + 7);
    expect(key).toEqual({ seedLo: 7, seedHi: 256 });
    const block = new Uint32Array(4);
    const whole = new Float32Array(103);
    fillUniform(whole, key, 5, 9, 3);
    for (let p = 0; p < whole.length; p++) {
      philox(Math.floor(p / 4), 5, 9, 3, key.seedLo, key.seedHi, block);
      expect(whole[p]).toBe((block[p % 4] >>> 8) * 2 ** -24);
    }
    for (const [offset, length] of [
      [0, 1],
      [1, 2],
      [3, 9],
      [6, 4],
      [7, 96],
      [102, 1],
      [50, 0],
    ]) {
      const part = new Float32Array(length);
      fillUniform(part, key, 5, 9, 3, offset);
      expect([...part]).toEqual([...whole.subarray(offset, offset + length)]);
    }
  });

  test('uniform and normal numbers have the right moments (catches a wrong scale or angle)', () => {
    const n = 400_000;
    const u = new Float32Array(n);
    fillUniform(u, seedKey(1), streamId('moments'), 0, 0);
    const mean = (xs: Float32Array, f: (x: number) => number) => xs.reduce((sum, x) => sum + f(x), 0) / xs.length;
    expect(mean(u, (x) => x)).toBeCloseTo(0.5, 2);
    expect(mean(u, (x) => x * x)).toBeCloseTo(1 / 3, 2);
    const z = new Float32Array(n);
    fillNormal(z, 1, 'moments');
    expect(Math.abs(mean(z, (x) => x))).toBeLessThan(0.008);
    expect(mean(z, (x) => x * x)).toBeCloseTo(1, 1.5);
    expect(mean(z, (x) => x ** 4)).toBeGreaterThan(2.9);
    expect(mean(z, (x) => x ** 4)).toBeLessThan(3.1);
    let neighbours = 0;
    for (let i = 0; i + 1 < n; i += 2) neighbours += z[i] * z[i + 1];
    expect(Math.abs(neighbours / (n / 2))).toBeLessThan(0.01);
  });

  test('normal arrays of odd length are prefixes of longer ones (catches dropped or shifted tails)', () => {
    const long = new Float32Array(64);
    fillNormal(long, 3, 'w');
    for (let n = 0; n < 20; n++) {
      const short = new Float32Array(n);
      fillNormal(short, 3, 'w');
      expect([...short]).toEqual([...long.subarray(0, n)]);
    }
  });

  test('stream names give the FNV-1a numbers (catches a change that would alter every run)', () => {
    expect(streamId('')).toBe(0x811c9dc5);
    expect(streamId('a')).toBe(0xe40c292c);
    expect(streamId('foobar')).toBe(0xbf9cf968);
  });
});

describe('Stream', () => {
  test('is random access: any position gives what sequential reading gave (catches hidden state)', () => {
    const stream = new Stream(11, 'order', 2);
    const sequence = Array.from({ length: 50 }, () => stream.nextUint32());
    for (const at of [49, 0, 7, 8, 3, 31, 30]) {
      stream.position = at;
      expect(stream.nextUint32()).toBe(sequence[at]);
      expect(stream.position).toBe(at + 1);
    }
    stream.position = 4 * 2 ** 32;
    expect(stream.nextUint32()).not.toBe(sequence[0]);
    expect(new Stream(11, 'order', 3).nextUint32()).not.toBe(sequence[0]);
    expect(new Stream(12, 'order', 2).nextUint32()).not.toBe(sequence[0]);
    expect(new Stream(11, 'other', 2).nextUint32()).not.toBe(sequence[0]);
  });

  test('int(n) is uniform and in range, also where the modulo would be biased', () => {
    const stream = new Stream(5, 'int');
    const n = 3 * 2 ** 30; // a plain modulo would give the lowest third twice as often
    let low = 0;
    for (let i = 0; i < 30_000; i++) {
      const value = stream.int(n);
      expect(value).toBeLessThan(n);
      if (value < 2 ** 30) low++;
    }
    expect(low / 30_000).toBeCloseTo(1 / 3, 1.5);
    for (const odd of [1, 2, 7, 2 ** 32, 2 ** 40 + 3]) {
      const value = stream.int(odd);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(odd);
    }
    expect(() => stream.int(0)).toThrow(RangeError);
  });

  test('shuffle keeps the elements and reaches every order about equally (catches off-by-one in Fisher–Yates)', () => {
    const stream = new Stream(6, 'shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = stream.shuffle(Int32Array.from([0, 1, 2, 3])).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(170);
  });
});
