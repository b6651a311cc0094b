import { describe, expect, test } from 'vitest';
import type { Initial } from '../../../main/engine/nn/model.ts';
import { initialValues } from '../../../main/engine/train/initialize.ts';

const part = (name: string, initial: Initial, shape: number[], from: number, count: number, seed = 1) =>
  initialValues({ name, shape, initial, role: 'matrix', scope: '' }, seed, from, new Float32Array(count));
const made = (name: string, initial: Initial, shape = [200, 100], seed = 1) =>
  part(
    name,
    initial,
    shape,
    0,
    shape.reduce((size, dimension) => size * dimension, 1),
    seed,
  );

describe('first values of parameters', () => {
  test('normal and uniform have their moments and limits', () => {
    const normal = made('a', { kind: 'normal', std: 0.02 });
    const mean = normal.reduce((sum, x) => sum + x, 0) / normal.length;
    const deviation = Math.sqrt(normal.reduce((sum, x) => sum + (x - mean) ** 2, 0) / normal.length);
    expect(Math.abs(mean)).toBeLessThan(0.0005);
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.02);
    const uniform = made('a', { kind: 'uniform', limit: 3 });
    expect(Math.max(...uniform)).toBeLessThan(3);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-3);
    expect(Math.abs(uniform.reduce((sum, x) => sum + x, 0) / uniform.length)).toBeLessThan(0.05);
    const positive = made('a', { kind: 'uniform', least: 1, limit: 5 });
    expect(Math.max(...positive)).toBeLessThan(5);
    expect(Math.min(...positive)).toBeGreaterThanOrEqual(1);
    expect(Math.abs(positive.reduce((sum, x) => sum + x, 0) / positive.length - 3)).toBeLessThan(0.05);
  });

  test('depend on seed and name only: not on the shape or on other parameters', () => {
    const initial: Initial = { kind: 'normal', std: 1 };
    const a = made('a', initial);
    expect(made('a', initial)).toEqual(a);
    expect([...made('a', initial, [7])]).toEqual([...a.subarray(0, 7)]);
    expect(made('b', initial)[0]).not.toBe(a[0]);
    expect(made('a', initial, [3], 2)[0]).not.toBe(a[0]);
  });

  test('are the same made in parts (catches parts that begin again, or at another place)', () => {
    const kinds: Initial[] = [
      { kind: 'normal', std: 1 },
      { kind: 'uniform', limit: 2 },
      { kind: 'values', values: Array.from({ length: 21 }, (_, i) => i) },
    ];
    for (const initial of kinds) {
      const whole = [...made('a', initial, [21])];
      expect([...part('a', initial, [21], 0, 8), ...part('a', initial, [21], 8, 13)]).toEqual(whole);
    }
  });

  test('constants and given values', () => {
    expect([...made('a', { kind: 'constant', value: 1 }, [3])]).toEqual([1, 1, 1]);
    expect([...made('a', { kind: 'values', values: [1, 2] }, [2])]).toEqual([1, 2]);
    expect(() => made('a', { kind: 'values', values: [1] }, [2])).toThrow(/a has \[2\] and 1/);
  });
});
