import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import { codeOf, column, newRun, newStore, open, randomNumbers, range, temporaryFolder } from '../support.ts';
import { bruteForce, expectClose, logRandom } from './oracle.ts';
import type { Logged } from './oracle.ts';

describe('reductions against brute force', () => {
  // Lengths around the borders of tails (1,023), blocks (1,024), and blocks of level 2 (16,384) and 3 (262,144).
  const lengths = [1, 2, 3, 17, 1023, 1024, 1025, 5000, 16_383, 16_384, 40_000, 270_000];
  test.each(lengths)('%i points (catches: wrong level, border, weight, lost spike or end point)', async (points) => {
    const random = randomNumbers(points);
    const store = newStore();
    const { id } = store.createRun(newRun());
    const logged = await logRandom(store, id, 'm', points, random);
    const exact = store.readAll(id, 'm');
    expect(exact.step).toEqual(Float64Array.from(logged.steps));
    expect(exact.value).toEqual(Float64Array.from(logged.values));
    const rounds = points > 100_000 ? 3 : 12;
    for (let round = 0; round < rounds; round++) {
      const maxPoints = 3 + Math.floor(random() ** 2 * Math.min(points, 3000));
      const last = logged.steps.at(-1)!;
      const a = random() * last;
      const b = random() * last;
      const [from, to] = round < 2 ? [-Infinity, Infinity] : [Math.floor(Math.min(a, b)), Math.ceil(Math.max(a, b))];
      const series = store.readSeries(id, 'm', { from, to, maxPoints });
      const expected = bruteForce(logged, from, to, series.bucket);
      expect(series.step.length).toBeLessThanOrEqual(maxPoints);
      expect(series.points).toBe(logged.steps.filter((step) => step >= from && step <= to).length);
      expectClose(series.step, expected.step);
      expectClose(series.value, expected.value);
      expect(series.min).toEqual(expected.min);
      expect(series.max).toEqual(expected.max);
      expect(series.nonFinite).toEqual(expected.nonFinite);
    }
  });
});

test('ranges of a series whose steps are far from even (catches: trusting the guess where a step lies)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const steps = Float64Array.from({ length: 9000 }, (_, i) => (i < 4000 ? i : 4000 + (i - 4000) ** 3));
  await store.appendMetrics(id, [{ metric: 'm', steps, values: steps }]);
  for (const from of [0, 1, 1023, 1024, 3999, 4000, 4001, 4009, 1e6, steps[8191]!, steps[8192]!, steps[8998]!, 9e99])
    for (const to of [from, from + 0.5, steps[4500]!, steps[8192]!, steps[8999]!]) {
      const expected = steps.filter((step) => step >= from && step <= to);
      expect(store.readSeries(id, 'm', { from, to }).step).toEqual(expected);
    }
});

test('a single spike in 300,000 points stays visible at 100 entries (catches: mean-only down-sampling)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  await store.appendMetrics(id, [column('m', range(0, 300_000), (step) => (step === 123_456 ? 99 : 1))]);
  const series = store.readSeries(id, 'm', { maxPoints: 100 });
  expect(series.step.length).toBeLessThanOrEqual(100);
  expect(Math.max(...series.max)).toBe(99);
  expect(Math.max(...series.min)).toBe(1);
  const at = series.max.indexOf(99);
  expect(Math.abs(series.step[at] - 123_456)).toBeLessThanOrEqual(series.bucket);
});

test('means stay in their envelope, also near the largest double (catches: overflow, rounding beyond the bounds)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  await store.appendMetrics(id, [
    column('big', range(0, 5000), (step) => (step % 2 === 0 ? 1.7e308 : 1.6e308)),
    column('both', range(0, 5000), (step) => (step % 32 < 16 ? 1.7e308 : -1.7e308)),
    column('same', range(0, 5000), () => 0.1),
  ]);
  for (const metric of ['big', 'both', 'same']) {
    const { value, min, max } = store.readSeries(id, metric, { maxPoints: 20 });
    for (let i = 0; i < value.length; i++) expect(value[i] >= min[i] && value[i] <= max[i]).toBe(true);
  }
});

test('buckets of nothing but NaN or infinities say so (catches: a diverged stretch drawn as a number)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const value = (step: number): number => (step < 2048 ? 1 : step < 4096 ? NaN : step < 6144 ? Infinity : -Infinity);
  await store.appendMetrics(id, [column('m', range(0, 8192), value)]);
  for (const maxPoints of [12, 70, 700]) {
    const { step, value: mean, min, max, nonFinite, bucket } = store.readSeries(id, 'm', { maxPoints });
    // The outermost buckets lack the end points, which stand alone.
    for (let i = 2; i < step.length - 2; i++) {
      const expected = value(step[i]);
      // Buckets on the borders hold several kinds.
      if ([-1, 1].some((side) => !Object.is(value(step[i] + side * bucket), expected))) continue;
      expect([mean[i], min[i], max[i]]).toEqual([expected, expected, expected]);
      expect(nonFinite[i]).toBe(expected === 1 ? 0 : bucket);
    }
  }
});

test('last values and ranges are kept without reading the points (catches: NaN stored as null or zero)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  await store.appendMetrics(id, [
    column('a', [1, 2, 5], (step) => (step === 5 ? NaN : step)),
    column('b', [7], () => Infinity),
  ]);
  await store.appendMetrics(id, [column('b', [8], () => NaN)]);
  expect(store.metricNames(id)).toEqual(['a', 'b']);
  expect(store.metricStates(id)).toEqual({
    a: { points: 3, firstStep: 1, lastStep: 5, last: NaN, min: 1, max: 2 },
    b: { points: 2, firstStep: 7, lastStep: 8, last: NaN, min: Infinity, max: Infinity },
  });
});

test('another metric serves as x, interpolated between its points (catches: joining by position, not by step)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  await store.appendMetrics(id, [
    column('tokens', range(1, 3001), (step) => step * 64),
    column('val/loss', [0, 100, 2000, 3001], (step) => 1 / (step + 1)),
    column('epoch', [100, 300], (step) => step / 100),
  ]);
  expect(store.readSeries(id, 'val/loss', { x: 'tokens' }).x).toEqual(Float64Array.of(NaN, 6400, 128_000, NaN));
  const reduced = store.readSeries(id, 'tokens', { x: 'tokens', maxPoints: 50 });
  expectClose(reduced.x!, reduced.value);
  expect(store.readSeries(id, 'tokens', { x: 'epoch', from: 100, to: 102 }).x).toEqual(Float64Array.of(1, 1.01, 1.02));
  expect(store.readSeries(id, 'val/loss', { x: 'absent' }).x).toEqual(new Float64Array(4).fill(NaN));
});

test('aligned reads cut runs of different length at the same steps (catches: averaging entries of different steps)', async () => {
  const store = newStore();
  const ids = store.createRuns([newRun(), newRun({ seed: 2 })]).map((run) => run.id);
  await Promise.all([
    store.appendMetrics(ids[0], [column('m', range(0, 9000), (step) => step)]),
    store.appendMetrics(ids[1], [column('m', range(0, 2500), (step) => -step)]),
  ]);
  const [long, short] = store.readMany(ids, 'm', { maxPoints: 100, aligned: true });
  expect(short.bucket).toBe(long.bucket);
  expect(short.step.slice(0, -2)).toEqual(long.step.slice(0, short.step.length - 2));
  const [, free] = store.readMany(ids, 'm', { maxPoints: 100 });
  expect(free.bucket).toBeLessThan(long.bucket);
});

test('a metric that a run lacks reads as empty (catches: a comparison of runs failing on one of them)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  expect(store.readSeries(id, 'none', { maxPoints: 100 }).step).toHaveLength(0);
  expect(store.readAll(id, 'none').step).toHaveLength(0);
});

test('readSince gives exactly the new points (catches: a live chart with gaps or doubles)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const steps: number[] = [];
  for (let i = 0; i < 30; i++) {
    void store.appendMetrics(id, [column('m', range(i * 70, (i + 1) * 70), (step) => step / 7)]);
    store.flush();
    steps.push(...store.readSince(id, 'm', steps.length).step);
  }
  expect(steps).toEqual(range(0, 2100));
});

test('bad batches are refused whole (catches: half a batch stored, disorder, silent truncation)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  await store.appendMetrics(id, [column('m', [1, 2], () => 0)]);
  const good = column('other', [1], () => 0);
  const refused = (bad: Parameters<Store['appendMetrics']>[1][number]): Promise<string> =>
    codeOf(() => store.appendMetrics(id, [good, bad]));
  expect(await refused(column('m', [2], () => 0))).toBe('order');
  expect(await refused(column('m', [4, 3], () => 0))).toBe('order');
  expect(await refused(column('m', [NaN], () => 0))).toBe('invalid');
  expect(await refused({ metric: 'm', steps: Float64Array.of(3, 4), values: Float64Array.of(1) })).toBe('invalid');
  expect(await refused(column('', [3], () => 0))).toBe('invalid');
  expect(await refused(column('other', [3], () => 0))).toBe('invalid');
  expect(await codeOf(() => store.appendMetrics('nobody', [good]))).toBe('not-found');
  expect(await codeOf(() => store.appendMetrics(id, [good], { steps: -1 }))).toBe('invalid');
  store.flush();
  expect(store.metricNames(id)).toEqual(['m']);
  // Points that only wait count too.
  void store.appendMetrics(id, [column('m', [3], () => 0)]);
  expect(await refused(column('m', [3], () => 0))).toBe('order');
});

test('the arrays of a batch may be reused at once (catches: storing what the caller wrote later)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const batch = column('m', [1, 2], () => 5);
  const appended = store.appendMetrics(id, [batch]);
  batch.steps.fill(9);
  batch.values.fill(9);
  await appended;
  expect(store.readAll(id, 'm')).toEqual({ step: Float64Array.of(1, 2), value: Float64Array.of(5, 5) });
});

test('maxPoints below 3 is refused in words (catches: an endless search for a bucket size)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  void store.appendMetrics(id, [column('m', range(0, 10), () => 0)]);
  store.flush();
  expect(() => store.readSeries(id, 'm', { maxPoints: 2 })).toThrow('maxPoints is 2; it must be at least 3');
});

describe('truncation before a resumed run writes its last steps again', () => {
  test.each([0, 1, 500, 1023, 1024, 1025, 16_384, 20_000, 39_999, 50_000])(
    'after step %i (catches: points twice, stale levels, a wrong tail)',
    async (keep) => {
      const path = join(temporaryFolder(), 'runs.db');
      let store = open(path);
      const { id } = store.createRun(newRun());
      const value = (step: number): number => Math.sin(step) + (step === 30_000 ? 50 : 0);
      await store.appendMetrics(id, [column('m', range(0, 40_000), value), column('early', [0, 5], () => 1)], {
        steps: 40_000,
      });
      store.truncateAfter(id, keep);
      const left = range(0, Math.min(40_000, keep + 1));
      expect(store.readAll(id, 'm').step).toEqual(Float64Array.from(left));
      expect(store.getRun(id)!.steps).toBe(Math.min(40_000, keep));
      expect(store.metricStates(id).m.max).toBe(left.reduce((max, step) => Math.max(max, value(step)), -Infinity));
      if (left.length < 40_000) {
        // The second attempt differs, so that anything left of the first one shows.
        await store.appendMetrics(id, [column('m', range(left.length, 35_000), () => -7)]);
      }
      store.close();
      store = open(path);
      const logged: Logged = { steps: left.slice(), values: left.map(value) };
      if (left.length < 40_000)
        for (let step = left.length; step < 35_000; step++) {
          logged.steps.push(step);
          logged.values.push(-7);
        }
      expect(store.readAll(id, 'm').value).toEqual(Float64Array.from(logged.values));
      const series = store.readSeries(id, 'm', { maxPoints: 60 });
      const expected = bruteForce(logged, -Infinity, Infinity, series.bucket);
      expectClose(series.value, expected.value);
      expect(series.max).toEqual(expected.max);
      expect(store.check()).toEqual([]);
    },
  );

  test('a series that began later disappears (catches: an empty series that breaks its readers)', async () => {
    const store = newStore();
    const { id } = store.createRun(newRun());
    await store.appendMetrics(id, [column('late', [100], () => 1), column('m', [0, 100], () => 1)]);
    store.truncateAfter(id, 50);
    expect(store.metricNames(id)).toEqual(['m']);
    await store.appendMetrics(id, [column('late', [60], () => 2)]);
    expect(store.readAll(id, 'late')).toEqual({ step: Float64Array.of(60), value: Float64Array.of(2) });
  });
});

test('a tail of thousands of single points stays short (catches: reading a live run getting slower and slower)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  for (let step = 0; step < 1000; step++) {
    void store.appendMetrics(id, [column('m', [step], () => step)]);
    store.flush();
  }
  const reader = open(store.path, { readOnly: true });
  expect(reader.readAll(id, 'm').value).toEqual(Float64Array.from(range(0, 1000)));
  expect(store.tailRows(id)).toBeLessThanOrEqual(64);
  store.setRunState(id, 'stopped');
  expect(store.tailRows(id)).toBe(1);
  // A sealed tail still takes points.
  await store.appendMetrics(id, [column('m', range(1000, 1100), (step) => step)]);
  expect(store.readAll(id, 'm').value).toEqual(Float64Array.from(range(0, 1100)));
});
