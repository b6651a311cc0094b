/** Parts of long series from memory: they are what the plain points say, and what the file says once that has changed. */
import { expect, test } from 'vitest';
import { packSeries, unpackSeries } from '../../../preload/contract/seriesTable.ts';
import type { RunSeries } from '../../../preload/contract/seriesTable.ts';
import type { Store } from '../../../main/store/index.ts';
import { Middles } from '../../../main/store/series/middles.ts';
import { newRun, newStore, open, randomNumbers } from '../support.ts';
import { expectClose, expectWhole } from './oracle.ts';
import type { Logged } from './oracle.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

interface Shape {
  readonly points: number;
  readonly first: number;
  readonly stride: number;
}

const randomShape = (random: () => number): Shape => ({
  points: 3000 + Math.floor(random() * 7000),
  first: Math.floor(random() * 9),
  stride: 1 + Math.floor(random() * 3),
});

/** At even steps; some values are not finite. */
async function logEven(
  store: Store,
  id: string,
  { points, first, stride }: Shape,
  random: () => number,
  round = Math.fround,
): Promise<Logged> {
  const odd = random() < 0.4;
  const steps = Array.from({ length: points }, (_, i) => first + i * stride);
  const values = steps.map(() =>
    odd && random() < 0.3 ? [NaN, Infinity, -Infinity, -0][Math.floor(random() * 4)]! : round(random() - 0.5),
  );
  await store.appendMetrics(id, [{ metric: 'm', steps: Float64Array.from(steps), values: Float64Array.from(values) }]);
  return { steps, values };
}

const keepAll = (store: Store, ids: readonly string[]): void => {
  while (store.keepMany(ids, 'm', 1));
};

const read = (store: Store, ids: readonly string[], from: number, to: number, maxPoints: number): RunSeries[] =>
  unpackSeries(store.readTable(ids, 'm', { from, to, wholeBuckets: true, maxPoints, loggedUpTo: 20 }));

test(`windows of runs of many lengths are what the points say (catches: a bucket cut wrong, an end twice, a gap lost, steps of another run); seed ${seed}`, async () => {
  const random = randomNumbers(seed);
  const store = newStore();
  const logged = new Map<string, Logged | undefined>();
  for (let i = 0; i < 14; i++) {
    const { id } = store.createRun(newRun());
    logged.set(id, i === 5 ? undefined : await logEven(store, id, randomShape(random), random));
  }
  const reading = open(store.path, { readOnly: true, mapped: true });
  const ids = [...logged.keys()];
  keepAll(reading, ids);
  let unlike = 0;
  for (let round = 0; round < 40; round++) {
    const [a, b] = [random(), random()].toSorted((x, y) => x - y);
    const from = round % 5 === 0 ? 0 : a! * 2500;
    const to = round % 7 === 0 ? 40_000 : from + 500 + b! * 12_000;
    const maxPoints = 8 + Math.floor(random() * 150);
    const all = read(reading, ids, from, to, maxPoints);
    const fromFile = read(store, ids, from, to, maxPoints);
    for (const [i, series] of all.entries()) {
      const own = logged.get(ids[i]!);
      expect(series.runId).toBe(ids[i]);
      if (own === undefined) expect([...series.step]).toEqual([]);
      else if (series.bucket > 1) expectWhole(series, own, from, to);
      else expect([...series.value]).toEqual(own.values.filter((_, k) => own.steps[k]! >= from && own.steps[k]! <= to));
      expect(series.step.length).toBeLessThanOrEqual(maxPoints + 2);
      if (series.bucket !== fromFile[i]!.bucket) unlike++;
    }
  }
  // Not all of this was read from the file.
  expect(unlike).toBeGreaterThan(0);
});

test(`envelopes are those of the file in 32 bits (catches: rounded twice, or to the wrong side); seed ${seed}`, async () => {
  const random = randomNumbers(seed + 1);
  const store = newStore();
  const shape = { points: 4097, first: 0, stride: 1 };
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    const { id } = store.createRun(newRun());
    ids.push(id);
    await logEven(store, id, shape, random, (value) => value * 10 ** (i - 3));
  }
  const reading = open(store.path, { readOnly: true, mapped: true });
  keepAll(reading, ids);
  let compared = 0;
  for (const [from, to] of [
    [0, 4096],
    [0, 1000],
    [1000, 4096],
    [900, 2000],
  ] as const) {
    const query = { from, to, wholeBuckets: true, maxPoints: 66 };
    const kept = unpackSeries(reading.readTable(ids, 'm', query));
    // Of whole buckets of the file's that fit into those of memory.
    const { bucket } = kept[0]!;
    compared += Number(store.readMany(ids, 'm', query)[0]!.bucket === bucket);
    const plain = unpackSeries(
      packSeries(
        store.readMany(ids, 'm', query).map((series, i) => ({ ...series, runId: ids[i]! })),
        'narrow',
      ),
    );
    const bare = unpackSeries(reading.readTable(ids, 'm', { ...query, envelopes: false }));
    expect(bare).toEqual(kept.map((series) => ({ ...series, min: series.value, max: series.value, bare: true })));
    for (const [i, series] of kept.entries()) {
      const file = plain[i]!;
      if (file.bucket !== bucket) continue;
      expect([series.min.map(plus), series.max.map(plus), series.nonFinite]).toEqual([
        file.min.map(plus),
        file.max.map(plus),
        file.nonFinite,
      ]);
      expectClose(series.value.map(plus), file.value.map(plus));
    }
  }
  expect(compared).toBeGreaterThan(0);
});

/** −0 is 0. */
const plus = (value: number): number => value + 0;

test('what has changed, or was never even, is read from the file (catches: points of before, steps that are assumed)', async () => {
  const random = randomNumbers(seed + 2);
  const store = newStore();
  const { id } = store.createRun(newRun());
  const shape = { points: 5000, first: 0, stride: 1 };
  await logEven(store, id, shape, () => 0.5);
  const reading = open(store.path, { readOnly: true, mapped: true });
  keepAll(reading, [id]);
  expect(read(reading, [id], 0, 5000, 100)[0]!.value.every((value) => value === 0)).toBe(true);
  store.truncateAfter(id, 2000);
  const steps = Float64Array.from({ length: 2999 }, (_, i) => 2001 + i);
  await store.appendMetrics(id, [{ metric: 'm', steps, values: steps.map(() => Math.fround(random())) }]);
  const { step, value } = store.readAll(id, 'm');
  expectWhole(read(reading, [id], 1500, 4000, 100)[0]!, { steps: [...step], values: [...value] }, 1500, 4000);

  const uneven = store.createRun(newRun()).id;
  const gaps = Float64Array.from({ length: 5000 }, (_, i) => 2 * i + Number(i % 50 === 3));
  await store.appendMetrics(uneven, [{ metric: 'm', steps: gaps, values: gaps.map(() => Math.fround(random())) }]);
  keepAll(reading, [id, uneven]);
  const all = store.readAll(uneven, 'm');
  const [, part] = read(reading, [id, uneven], 3000, 9000, 100);
  expectWhole(part!, { steps: [...all.step], values: [...all.value] }, 3000, 9000);
});

test('memory has a limit; what was used last stays (catches: a board that takes all of it)', () => {
  const value = new Float64Array(3000);
  const step = value.map((_, i) => i);
  const rowOf = (key: number): Parameters<Middles['keep']>[0] => ({
    key,
    metric: 'm',
    points: 3000,
    first_step: 0,
    last_step: 2999,
    last_value: 0,
    low: 0,
    high: 0,
  });
  const middles = new Middles(16 * 1500 * 4);
  expect([middles.hasRoom(3000, 4), middles.hasRoom(3000, 5)]).toEqual([true, false]);
  for (const key of [1, 2, 3, 4]) middles.keep(rowOf(key), step, value);
  const query = { from: 0, to: 3000, maxPoints: 100, wholeBuckets: true };
  expect(middles.table(['a'], [rowOf(1)], query)).toBeDefined();
  middles.keep(rowOf(5), step, value);
  expect([1, 2, 3, 4, 5].filter((key) => middles.has(rowOf(key)))).toEqual([1, 3, 4, 5]);
  middles.forget();
  expect(middles.table(['a'], [rowOf(1)], query)).toBeUndefined();
});
