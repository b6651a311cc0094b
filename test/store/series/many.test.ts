/** Many series read at once: fetched together, they are what each is alone, and what the plain points say. */
import { expect, test } from 'vitest';
import { newRun, newStore, open, randomNumbers } from '../support.ts';
import { bruteForce, expectClose, expectWhole, logRandom } from './oracle.ts';
import type { Logged } from './oracle.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

test(`140 runs of mixed lengths, some without the metric (catches: rows of another run, a lost tail, a batch cut wrong); seed ${seed}`, async () => {
  const random = randomNumbers(seed);
  const store = newStore();
  const logged = new Map<string, Logged | undefined>();
  for (let i = 0; i < 140; i++) {
    const { id } = store.createRun(newRun());
    const kind = random();
    const points = kind < 0.1 ? 0 : kind < 0.85 ? 1 + Math.floor(random() * 200) : 900 + Math.floor(random() * 3500);
    logged.set(id, points === 0 ? undefined : await logRandom(store, id, 'm', points, random));
    await store.appendMetrics(id, [{ metric: 'other', steps: Float64Array.of(1), values: Float64Array.of(i) }]);
  }
  while (store.sumUp(50));
  const reading = open(store.path, { readOnly: true, mapped: true });
  const ids = [...logged.keys()];
  for (let round = 0; round < 4; round++) {
    const maxPoints = 8 + Math.floor(random() * 250);
    const [a, b] = [random() * 9000, random() * 9000].toSorted((x, y) => x - y);
    const part = round % 2 === 0 ? {} : { from: Math.floor(a!), to: Math.ceil(b!) };
    const wholeBuckets = round % 3 === 1;
    const all = reading.readMany(ids, 'm', { ...part, wholeBuckets, maxPoints });
    expect(all).toHaveLength(ids.length);
    for (const [i, series] of all.entries()) {
      const own = logged.get(ids[i]!);
      expect(series).toEqual(store.readSeries(ids[i]!, 'm', { ...part, wholeBuckets, maxPoints }));
      if (own === undefined) {
        expect(series.points).toBe(0);
        continue;
      }
      const { from = -Infinity, to = Infinity } = part;
      if (wholeBuckets) {
        if (series.bucket > 1) expectWhole(series, own, from, to);
        continue;
      }
      const expected = bruteForce(own, from, to, series.bucket);
      expectClose(series.step, expected.step);
      expectClose(series.value, expected.value);
      expect(series.min).toEqual(expected.min);
      expect(series.max).toEqual(expected.max);
      expect(series.nonFinite).toEqual(expected.nonFinite);
    }
  }
});

test('of many ids those that are there, in their order (catches: a run that was purged takes the place of another)', () => {
  const store = newStore();
  const ids = Array.from({ length: 5 }, () => store.createRun(newRun()).id);
  store.deleteRuns([ids[1]!]);
  store.purgeRuns([ids[1]!]);
  expect(store.existing([ids[4]!, 'nobody', ids[1]!, ids[0]!])).toEqual([ids[4], ids[0]]);
  expect(store.existing([])).toEqual([]);
});

test('a mapped file that grows, and is written again, is read as it is now (catches: pages of before)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const reading = open(store.path, { readOnly: true, mapped: true });
  for (let part = 0; part < 6; part++) {
    const steps = Float64Array.from({ length: 5000 }, (_, i) => 5000 * part + i);
    await store.appendMetrics(id, [{ metric: 'm', steps, values: steps.map((s) => Math.sin(s)) }]);
    if (part === 3) store.truncateAfter(id, 12_000);
    const all = store.readAll(id, 'm');
    expect(reading.readAll(id, 'm')).toEqual(all);
    if (part === 3) expect(all.step.at(-1)).toBe(12_000);
  }
});

test('short ranges come as they were logged, long ones reduced, together and apart (catches: a limit for all instead of each)', async () => {
  const random = randomNumbers(seed);
  const store = newStore();
  const lengths = [1, 60, 119, 120, 121, 400, 1500, 5000];
  const logged: Logged[] = [];
  const ids: string[] = [];
  for (const points of lengths) {
    const { id } = store.createRun(newRun());
    ids.push(id);
    logged.push(await logRandom(store, id, 'm', points, random));
  }
  for (const wholeBuckets of [false, true]) {
    const all = store.readMany(ids, 'm', { maxPoints: 60, loggedUpTo: 120, wholeBuckets });
    for (const [i, series] of all.entries()) {
      if (lengths[i]! > 120) expect(series.step.length).toBeLessThanOrEqual(60);
      else {
        expect(series.bucket).toBe(1);
        expect([...series.value]).toEqual([...logged[i]!.values]);
      }
    }
  }
});
