import { expect, test } from 'vitest';
import { decode, encode } from '../../preload/contract/codec.ts';
import { buffersOf, packSeries, unpackSeries } from '../../preload/contract/seriesTable.ts';
import type { RunSeries, SeriesTable } from '../../preload/contract/seriesTable.ts';
import { randomNumbers } from '../store/support.ts';

/** Runs of one sweep share their steps, others do not; some are reduced, some empty, some hold what is not finite. */
function randomSeries(random: () => number, withX: boolean): RunSeries[] {
  const shared = Float64Array.from({ length: 20 }, (_, i) => 3 * i);
  return Array.from({ length: Math.floor(random() * 12) }, (_, r): RunSeries => {
    const length = random() < 0.15 ? 0 : random() < 0.5 ? 20 : 1 + Math.floor(random() * 40);
    const step = length === 20 ? shared : Float64Array.from({ length }, (_, i) => i + random());
    const odd = random() < 0.3;
    const value = step.map(() => (odd && random() < 0.2 ? [NaN, Infinity, -Infinity, -0][r % 4]! : random() - 0.5));
    const reduced = random() < 0.5;
    return {
      runId: `run${r}`,
      step,
      value,
      min: reduced ? value.map((v) => v - 1) : value,
      max: reduced ? value.map((v) => v + 1) : value,
      nonFinite: Uint32Array.from(value, (v) => (Number.isFinite(v) ? 0 : 1 + Math.floor(random() * 5))),
      bucket: reduced ? 16 : 1,
      points: reduced ? 16 * length : length,
      ...(withX ? { x: step.map((s) => (random() < 0.1 ? NaN : 10 * s)) } : {}),
    };
  });
}

test('series come back as they were packed, over the wire too (catches: columns of another run, shifted counts, lost NaN or −0)', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const series = randomSeries(randomNumbers(seed), seed % 3 === 0);
    const table = packSeries(series);
    expect(unpackSeries(table), `seed ${seed}`).toEqual(series);
    const { sent } = decode(encode({ sent: table })) as { sent: SeriesTable };
    expect(unpackSeries(sent), `seed ${seed}`).toEqual(series);
  }
});

test('steps that runs share are sent once, and are one array again (catches: comparing a million numbers to see that seeds align)', () => {
  const step = Float64Array.from({ length: 100 }, (_, i) => i);
  const value = step.map(Math.sqrt);
  const one = { step, value, min: value, max: value, nonFinite: new Uint32Array(100), bucket: 1, points: 100 };
  const table = packSeries(['a', 'b', 'c'].map((runId) => ({ runId, ...one, step: step.slice() })));
  expect(table.step.numbers).toHaveLength(100);
  // Values of points as logged are their own envelope.
  expect([table.min?.length, table.max?.length]).toEqual([0, 0]);
  const [a, b, c] = unpackSeries(table);
  expect([b!.step, c!.step]).toEqual([a!.step, a!.step]);
  expect(b!.step).toBe(a!.step);
  expect(a!.min).toBe(a!.value);
  const handed = new Set(buffersOf(table));
  const moved = structuredClone(table, { transfer: [...handed] });
  expect(unpackSeries(moved)[2]!.value).toEqual(value);
});

test('without envelopes series come back as their values, and say so (catches: an envelope of another run)', () => {
  const value = Float64Array.of(1, 2, 3);
  const one = { step: value, value, nonFinite: new Uint32Array(3), points: 12 };
  const reduced = { ...one, min: value.map((v) => v - 1), max: value.map((v) => v + 1), bucket: 4 };
  const logged = { ...one, min: value, max: value, bucket: 1 };
  const table = packSeries(
    [
      { runId: 'a', ...reduced },
      { runId: 'b', ...logged },
    ],
    'none',
  );
  const [a, b] = unpackSeries(decode(encode(table)) as SeriesTable);
  expect([a!.min, a!.max, a!.bare]).toEqual([value, value, true]);
  expect([b!.min, b!.max, b!.bare]).toEqual([value, value, undefined]);
});

test('envelopes in 32 bits hold their values, exactly where they can (catches: one that ends within its values)', () => {
  const random = (): number => (Math.random() - 0.5) * 10 ** Math.floor(80 * Math.random() - 50);
  const value = Float64Array.from(
    { length: 3000 },
    (_, i) => [random(), Math.fround(random()), 0, NaN, Infinity][i % 5]!,
  );
  const one = { value, step: value.map((_, i) => i), nonFinite: new Uint32Array(3000), bucket: 4, points: 12_000 };
  const wide = { ...one, min: value.map((v) => v - Math.abs(v)), max: value.map((v) => v + Math.abs(v)) };
  const [narrow] = unpackSeries(packSeries([{ runId: 'a', ...wide }], 'narrow'));
  for (let i = 0; i < value.length; i++) {
    const [low, high] = [wide.min[i]!, wide.max[i]!];
    if (Number.isNaN(low)) expect(narrow!.min[i]).toBeNaN();
    else expect(narrow!.min[i]).toBeLessThanOrEqual(low);
    if (Number.isNaN(high)) expect(narrow!.max[i]).toBeNaN();
    else expect(narrow!.max[i]).toBeGreaterThanOrEqual(high);
    if (Math.fround(low) === low) expect(narrow!.min[i]).toBe(low);
    if (Number.isFinite(high) && Math.abs(high) > 1e-37)
      expect(Math.abs(narrow!.max[i]! - high)).toBeLessThanOrEqual(1.2e-7 * Math.abs(high));
  }
  const huge = { ...wide, max: wide.max.map(() => 1e300) };
  expect(unpackSeries(packSeries([{ runId: 'a', ...huge }], 'narrow'))[0]!.max[0]).toBe(1e300);
});
