/** Which part of ordinary lines a frame may leave out: of each way in which lines go, the share of their points, and of their beginnings. */
import { describe, expect, it } from 'vitest';
import { bulkOf } from '../../preload/charts/series/bulk.ts';
import { withoutFar } from '../../preload/charts/series/far.ts';
import { random as seeded, SEED } from '../oracles/random.ts';
import type { Random } from '../oracles/random.ts';

type Line = readonly number[];
const many = (n: number, line: (i: number) => Line): Line[] => Array.from({ length: n }, (_, i) => line(i));
const points = (n: number, y: (i: number) => number): Line => Array.from({ length: n }, (_, i) => y(i));

/** From `start` down to `end`, with noise, over the first tenth of the way. */
const trained = (random: Random, start: number, end: number, n = 200): Line =>
  points(n, (i) => end + (start - end) * Math.exp((-30 * i) / n) + 0.02 * random.normal());
const flat = (random: Random, level: number, n = 200): Line => points(n, () => level + 0.02 * random.normal());
/** Follows `line` up to `from`, then grows beyond all bounds. */
const blownUp = (line: Line, from: number, factor = 3): Line =>
  line.map((v, i) => (i < from ? v : Math.min(1e38, v * factor ** (i - from + 1))));

interface Case {
  readonly name: string;
  readonly ordinary: (random: Random) => Line[];
  readonly diverged?: (random: Random) => Line[];
  /** Share of the points of ordinary lines that may be outside. */
  readonly outside: number;
  /** Lines of which the first value may be outside. */
  readonly beginnings?: number;
  /** The ordinary lines without their beginnings take at least this share of the frame. */
  readonly fill?: number;
}

const CASES: readonly Case[] = [
  { name: 'one from a steep start', ordinary: (r) => [trained(r, 11, 3)], outside: 0 },
  { name: 'all from a steep start', ordinary: (r) => many(12, () => trained(r, 11, 3 + 0.3 * r())), outside: 0 },
  {
    name: 'a quarter begin low, as tuned further from what was trained before',
    ordinary: (r) => [...many(6, () => trained(r, 11, 3)), ...many(2, () => flat(r, 3))],
    outside: 0,
  },
  {
    name: 'all but one begin low',
    ordinary: (r) => [trained(r, 11, 3), ...many(11, () => flat(r, 3))],
    outside: 0,
  },
  {
    name: 'half begin low, beside diverged ones',
    ordinary: (r) => [...many(4, () => trained(r, 11, 3)), ...many(4, () => flat(r, 3))],
    diverged: (r) => many(4, () => blownUp(trained(r, 11, 3), 50)),
    outside: 0,
  },
  {
    name: 'steps: long at 10, then at 3 (grokking), each at its own time',
    ordinary: (r) => many(8, (k) => points(200, (i) => (i < 60 + 15 * k ? 10 : 3) + 0.02 * r.normal())),
    outside: 0,
  },
  {
    name: 'steps, of which some never come down',
    ordinary: (r) => many(8, (k) => points(200, (i) => (i < 60 + 30 * k ? 10 : 3) + 0.02 * r.normal())),
    outside: 0,
  },
  {
    name: 'two levels, the larger part at the worse one',
    ordinary: (r) => [...many(3, () => flat(r, 3)), ...many(9, () => points(200, () => 10 + 0.3 * r.normal()))],
    outside: 0,
  },
  {
    name: 'warm-up: up from 11 to 14, then down',
    ordinary: (r) =>
      many(6, () => trained(r, 11, 3).map((v, i) => v + (i < 10 ? 3 * Math.sin((Math.PI * i) / 10) : 0))),
    outside: 0,
  },
  {
    name: 'over-fitting: down to 2, then up to 6',
    ordinary: (r) =>
      many(3, () => points(200, (i) => 2 + (i < 50 ? (50 - i) / 10 : (i - 50) / 37) + 0.02 * r.normal())),
    outside: 0,
  },
  {
    name: 'spikes to twice the loss, at one point in twenty',
    ordinary: (r) => many(4, () => flat(r, 3).map((v, i) => (i % 20 === 7 ? 2 * v : v))),
    outside: 0.02,
  },
  {
    name: 'single spikes to a thousand times the loss',
    ordinary: (r) => many(4, (k) => trained(r, 4, 3).map((v, i) => (i === 50 + 20 * k ? 1000 * v : v))),
    outside: 0.02,
    fill: 0.02,
  },
  {
    name: 'one line begins at a million, as of a wrong initialisation',
    ordinary: (r) => [...many(7, () => trained(r, 11, 3)), trained(r, 1e6, 3)],
    // Its whole way down: 75 of its 200 points.
    outside: 0.06,
    beginnings: 1,
  },
  {
    name: 'beside ones that diverge near the end',
    ordinary: (r) => many(9, () => trained(r, 11, 3)),
    diverged: (r) => many(3, () => blownUp(trained(r, 11, 3), 180)),
    outside: 0,
  },
  {
    name: 'beside ones that diverge at once and stay where they are',
    ordinary: (r) => many(3, () => trained(r, 11, 3)),
    diverged: () => many(9, () => points(200, (i) => (i === 0 ? 11 : 1e30))),
    outside: 0,
  },
  {
    name: 'in a window, beside ones that diverged before it',
    ordinary: (r) => many(3, () => flat(r, 3)),
    diverged: (r) => many(9, () => points(200, () => 1e9 * Math.exp(r.normal()))),
    outside: 0,
    fill: 0.2,
  },
];

describe.each([1, 2, SEED])('of ordinary lines a frame holds (seed %i)', (seed) => {
  it.each(CASES)('$name', ({ ordinary: make, diverged, outside, beginnings = 0, fill = 0 }) => {
    const random = seeded(seed);
    const ordinary = make(random);
    const bad = diverged?.(random) ?? [];
    for (const sign of [1, -1]) {
      const lines = [...ordinary, ...bad].map((line) => Float64Array.from(line, (v) => sign * v));
      const held = bulkOf(lines, false, sign > 0 ? 'above' : 'below') ?? { min: -Infinity, max: Infinity };
      const isHeld = (v: number): boolean => sign * v >= held.min && sign * v <= held.max;
      const all = ordinary.flat();
      expect(all.filter((v) => !isHeld(v)).length / all.length).toBeLessThanOrEqual(outside);
      expect(ordinary.filter(([first]) => !isHeld(first)).length).toBeLessThanOrEqual(beginnings);
      // The best is always there.
      expect(isHeld(Math.min(...all))).toBe(true);
      // What diverged does not flatten the rest.
      if (bad.length > 0) expect(held.max - held.min).toBeLessThan(40);
      const late = ordinary.flatMap((line) => line.slice(line.length / 2)).sort((a, b) => a - b);
      const spread = late[Math.floor(0.97 * late.length)] - late[0];
      if (fill > 0) expect(spread / (held.max - held.min)).toBeGreaterThan(fill);
    }
  });
});

describe('one value among thousands of points', () => {
  it('does not flatten them, wherever it stands (would catch a sample that misses it)', () => {
    for (const at of [0, 1, 137, 4999, 9998]) {
      const lines = many(40, (k) =>
        points(10_000, (i) => (k === 3 && i === at && at > 0 ? 1e30 : 3 + 0.1 * Math.sin(i))),
      );
      expect(bulkOf(lines, false, 'above')?.max ?? 3).toBeLessThan(4);
      if (at > 0) expect(withoutFar(lines, false, 1e6)?.max).toBeLessThan(4);
    }
  });
});

describe('what is far from all the rest', () => {
  const near = points(100, (i) => i);
  it.each<[string, Line[], boolean, { min: number; max: number } | undefined]>([
    ['one value of 1e308 in one of two lines', [near, [...near, 1e308]], false, { min: 0, max: 99 }],
    ['one below', [near, [...near, -1e308]], false, { min: 0, max: 99 }],
    ['one line of four', [near, near, near, [1e30, 1e31]], false, { min: 0, max: 99 }],
    ['nothing, where half of all is as large', [near, near, [1e30], [1e30]], false, undefined],
    ['nothing, where values go on up to it', [points(60, (i) => 10 ** i)], false, undefined],
    ['nothing of what is 0 most of the time', [points(100, (i) => (i % 20 === 0 ? 5000 : 0))], false, undefined],
    ['nothing beside values that are but rounding', [points(100, (i) => (i % 20 === 0 ? 1 : 1e-12))], false, undefined],
    ['nothing of tiny values on a linear axis', [near, near, near, [1e-300, 2e-300]], false, undefined],
    ['tiny values on a logarithmic axis', [near, near, near, [1e-300, 2e-300]], true, { min: 1, max: 99 }],
    ['tiny and huge ones there', [[...near, 1e-300, 1e300]], true, { min: 1, max: 99 }],
    ['nothing of a single value', [[1e308]], false, undefined],
    ['nothing of two', [[1, 1e308]], false, undefined],
  ])('is %s', (_, lines, log, expected) => {
    expect(withoutFar(lines, log, 1e6)).toEqual(expected);
  });
});
