import { expect, test } from 'vitest';
import { decodeNumbers, decodeSteps, encodeNumbers, encodeSteps } from '../../../main/store/series/codec.ts';
import { bucketSize } from '../../../main/store/series/cuts.ts';
import { randomNumbers } from '../support.ts';

test('values come back bit for bit (catches: rounding to 32 bits, losing -0, NaN or infinities)', () => {
  const cases = [
    [0.1, 0.2],
    [-0, 0, 1],
    [NaN, Infinity, -Infinity, 2.5],
    [2 ** 24 + 1],
    [Number.MAX_VALUE, Number.MIN_VALUE],
    [Math.fround(0.1), NaN],
  ];
  for (const values of cases) {
    const decoded = decodeNumbers(encodeNumbers(Float64Array.from(values)), values.length);
    expect([...decoded].every((value, i) => Object.is(value, values[i]))).toBe(true);
  }
});

test('values exact in 32 bits take 4 bytes, others 8 (catches: a file twice as large, or a lossy one)', () => {
  expect(encodeNumbers(Float64Array.of(1.5, NaN, Math.fround(0.3))).byteLength).toBe(12);
  expect(encodeNumbers(Float64Array.of(1.5, 0.3)).byteLength).toBe(16);
});

test('evenly spaced steps take no space, others are exact (catches: a stride that only nearly fits)', () => {
  expect(encodeSteps(Float64Array.of(5, 15, 25)).steps).toBeNull();
  for (const steps of [[5], [0, 100, 200, 201], [0.1, 0.2, 0.30000000000000004], [1e9, 1e9 + 1, 1e9 + 3]]) {
    const array = Float64Array.from(steps);
    expect([...decodeSteps(encodeSteps(array), steps.length)]).toEqual(steps);
  }
});

test('a blob of the wrong size is refused (catches: reading past a damaged block)', () => {
  expect(() => decodeNumbers(new Uint8Array(10), 2)).toThrow(RangeError);
});

test('bucket sizes are the smallest that fit (catches: more entries than asked for, or needlessly coarse ones)', () => {
  const random = randomNumbers(7);
  const entries = (from: number, to: number, size: number): number =>
    size === 1 ? to - from : Math.floor((to - 2) / size) - Math.floor((from + 1) / size) + 3;
  for (let round = 0; round < 500; round++) {
    const from = Math.floor(random() * 5000);
    const to = from + 1 + Math.floor(random() ** 4 * 3_000_000);
    const maxPoints = 3 + Math.floor(random() * 3000);
    const size = bucketSize(from, to, maxPoints);
    expect(entries(from, to, size)).toBeLessThanOrEqual(maxPoints);
    // One size smaller (at most a sixteenth less, or the next lower unit) would not have fitted.
    if (size > 1 && size < 16) expect(entries(from, to, size - 1)).toBeGreaterThan(maxPoints);
    if (size >= 32 && size % 16 === 0 && size / 16 < 16) {
      expect(entries(from, to, size - 16)).toBeGreaterThan(maxPoints);
    }
  }
});
