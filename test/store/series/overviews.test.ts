import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import { column, newRun, newStore, onCleanup, open, randomNumbers, range } from '../support.ts';
import { bruteForce, expectClose, expectWhole, logRandom } from './oracle.ts';
import type { Logged } from './oracle.ts';

const sumUp = (store: Store): void => {
  while (store.sumUp(5));
};

/** Of how many points each overview is. */
function overviews(store: Store): unknown[] {
  const database = new DatabaseSync(store.path, { readOnly: true });
  onCleanup(() => database.close());
  return database
    .prepare('SELECT points FROM overviews ORDER BY series')
    .all()
    .map(({ points }) => points);
}

function expectPoints(store: Store, id: string, logged: Logged, maxPoints: number): void {
  const series = store.readSeries(id, 'm', { maxPoints });
  const expected = bruteForce(logged, -Infinity, Infinity, series.bucket);
  expect(series.step.length).toBeLessThanOrEqual(maxPoints);
  expect(series.points).toBe(logged.steps.length);
  expectClose(series.step, expected.step);
  expectClose(series.value, expected.value);
  expect(series.min).toEqual(expected.min);
  expect(series.max).toEqual(expected.max);
  expect(series.nonFinite).toEqual(expected.nonFinite);
}

describe('a series read from its overview', () => {
  test.each([1025, 1536, 5000, 16_384, 40_001])(
    'of %i random points is the one read from its points (catches: lost spikes, ends, NaN, weights of cut buckets)',
    async (points) => {
      const random = randomNumbers(points);
      const store = newStore();
      const { id } = store.createRun(newRun());
      const logged = await logRandom(store, id, 'm', points, random);
      sumUp(store);
      expect(overviews(store)).toEqual([points]);
      for (let round = 0; round < 8; round++) expectPoints(store, id, logged, 3 + Math.floor(random() * 600));
      // Its row is what is read.
      const database = new DatabaseSync(store.path);
      database.exec('UPDATE overviews SET first_value = 12345');
      database.close();
      expect(store.readSeries(id, 'm', { maxPoints: 50 }).value[0]).toBe(12_345);
    },
  );

  test('is of all of its points, whatever came later or was taken back (catches: a picture of what was there before)', async () => {
    const store = newStore();
    const { id } = store.createRun(newRun());
    const value = (step: number): number => Math.fround(Math.sin(step));
    await store.appendMetrics(id, [column('m', range(0, 3000), value)]);
    sumUp(store);
    await store.appendMetrics(id, [column('m', range(3000, 3100), () => 50)]);
    const later = { steps: range(0, 3100), values: range(0, 3100).map((step) => (step < 3000 ? value(step) : 50)) };
    expectPoints(store, id, later, 100);
    sumUp(store);
    expect(overviews(store)).toEqual([3100]);
    expectPoints(store, id, later, 100);
    store.truncateAfter(id, 1999);
    await store.appendMetrics(id, [column('m', range(2000, 3100), () => -7)]);
    const other = { steps: range(0, 3100), values: range(0, 3100).map((step) => (step < 2000 ? value(step) : -7)) };
    expectPoints(store, id, other, 100);
    sumUp(store);
    expectPoints(store, id, other, 100);
  });

  test('keeps infinities and NaN at both ends', async () => {
    const store = newStore();
    const { id } = store.createRun(newRun());
    const value = (step: number): number => (step === 0 ? Infinity : step === 2999 ? NaN : step < 40 ? NaN : 1);
    await store.appendMetrics(id, [column('m', range(0, 3000), value)]);
    sumUp(store);
    expectPoints(store, id, { steps: range(0, 3000), values: range(0, 3000).map(value) }, 200);
  });
});

describe('overviews', () => {
  test('are made of long series of runs that do not train (catches: work for a series that changes twenty times a second)', async () => {
    const store = newStore();
    const [ended, training, short] = store.createRuns([newRun(), newRun(), newRun()]).map(({ id }) => id);
    store.claimNext();
    store.setRunState(ended!, 'finished');
    store.claimNext();
    await store.appendMetrics(ended!, [column('a', range(0, 2000), Math.sqrt), column('b', range(0, 9), Math.sqrt)]);
    await store.appendMetrics(training!, [column('a', range(0, 2000), Math.sqrt)]);
    await store.appendMetrics(short!, [column('a', range(0, 1024), Math.sqrt)]);
    sumUp(store);
    expect(overviews(store)).toEqual([2000]);
    await store.appendMetrics(training!, [column('a', range(2000, 2500), Math.sqrt)]);
    store.setRunState(training!, 'finished');
    sumUp(store);
    expect(overviews(store)).toEqual([2000, 2500]);
    store.deleteRuns([ended!]);
    store.purgeRuns([ended!]);
    expect(overviews(store)).toEqual([2500]);
    expect(store.check()).toEqual([]);
  });

  test('go on where the last process stopped, in slices (catches: a start that works for minutes, or begins again)', async () => {
    const store = newStore();
    const ids = store.createRuns(range(0, 30).map(() => newRun())).map(({ id }) => id);
    await Promise.all(ids.map((id) => store.appendMetrics(id, [column('m', range(0, 1500), (step) => step / 7)])));
    expect(store.sumUp(0)).toBe(true);
    expect(overviews(store)).toHaveLength(1);
    store.close();
    const next = open(store.path);
    expect(next.sumUp(0)).toBe(true);
    expect(overviews(next)).toHaveLength(2);
    sumUp(next);
    expect(overviews(next)).toHaveLength(30);
    expect(next.sumUp(0)).toBe(false);
  });
});

test('a part in whole buckets is that of the points (catches: a border that is off by one, a point counted twice)', async () => {
  for (const points of [2, 700, 1024, 5000, 40_000]) {
    const random = randomNumbers(points + 1);
    const store = newStore();
    const { id } = store.createRun(newRun());
    const logged = await logRandom(store, id, 'm', points, random);
    const last = logged.steps.at(-1)!;
    for (let round = 0; round < 12; round++) {
      const maxPoints = 8 + Math.floor(random() ** 2 * 400);
      const [a, b] = [random() * last, random() * last].sort((x, y) => x - y) as [number, number];
      const [from, to] = [round === 0 ? 0 : Math.floor(a), round === 1 ? last : Math.ceil(b)];
      const series = store.readSeries(id, 'm', { from, to, maxPoints, wholeBuckets: true });
      expect(series.step.length).toBeLessThanOrEqual(maxPoints);
      expectWhole(series, logged, from, to);
    }
  }
});
