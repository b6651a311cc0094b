/** Random series, and what must be read of them, computed from the plain points. */
import { expect } from 'vitest';
import type { Series } from '../../../preload/contract/metrics.ts';
import type { Store } from '../../../main/store/index.ts';

export interface Logged {
  steps: number[];
  values: number[];
}

/** Random steps with gaps and values with spikes, NaN and infinities, appended in random portions. */
export async function logRandom(
  store: Store,
  id: string,
  metric: string,
  points: number,
  random: () => number,
): Promise<Logged> {
  const logged: Logged = { steps: [], values: [] };
  const even = random() < 0.5;
  const odd = random() < 0.5;
  let step = Math.floor(random() * 50);
  for (let i = 0; i < points; i++) {
    logged.steps.push(step);
    step += even ? 3 : 1 + Math.floor(random() * 4);
    const kind = odd ? random() : 1;
    const usual = Math.fround(random() * 10);
    logged.values.push(
      kind < 0.01 ? NaN : kind < 0.015 ? Infinity : kind < 0.02 ? -Infinity : kind < 0.03 ? 1e6 : usual,
    );
  }
  for (let at = 0; at < points;) {
    const to = Math.min(points, at + 1 + Math.floor(random() ** 3 * points));
    const appended = store.appendMetrics(id, [
      {
        metric,
        steps: Float64Array.from(logged.steps.slice(at, to)),
        values: Float64Array.from(logged.values.slice(at, to)),
      },
    ]);
    if (random() < 0.7) store.flush();
    else void appended;
    at = to;
  }
  store.flush();
  return logged;
}

/** What a reduced series must be, computed from the plain points. */
export function bruteForce(logged: Logged, from: number, to: number, size: number): Omit<Series, 'points' | 'bucket'> {
  const all = logged.steps.flatMap((step, i) => (step >= from && step <= to ? [i] : []));
  const groups = new Map<string, number[]>();
  for (const i of all) {
    const name = size === 1 ? `${i}` : i === all[0] ? 'first' : i === all.at(-1) ? 'last' : `${Math.floor(i / size)}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [i]);
    else group.push(i);
  }
  const mean = (numbers: number[]): number => numbers.reduce((sum, n) => sum + n / numbers.length, 0);
  const rows = [...groups.values()].map((members) => {
    const values = members.map((i) => logged.values[i]);
    const finite = values.filter(Number.isFinite);
    const known = values.filter((value) => !Number.isNaN(value));
    return {
      step: mean(members.map((i) => logged.steps[i])),
      value: finite.length > 0 ? mean(finite) : values.reduce((sum, value) => sum + value, 0),
      min: known.length > 0 ? Math.min(...known) : NaN,
      max: known.length > 0 ? Math.max(...known) : NaN,
      nonFinite: values.length - finite.length,
    };
  });
  return {
    step: Float64Array.from(rows, (row) => row.step),
    value: Float64Array.from(rows, (row) => row.value),
    min: Float64Array.from(rows, (row) => row.min),
    max: Float64Array.from(rows, (row) => row.max),
    nonFinite: Uint32Array.from(rows, (row) => row.nonFinite),
  };
}

export function expectClose(actual: Float64Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const near = Math.abs(actual[i] - expected[i]) <= 1e-9 * Math.max(1, Math.abs(expected[i]));
    if (!near && !Object.is(actual[i], expected[i]))
      expect(`entry ${i}: ${actual[i]}`).toBe(`entry ${i}: ${expected[i]}`);
  }
}

/** A read of a part in whole buckets: the points from the bucket of the first one in the range to that of the last one. */
export function expectWhole(series: Series, logged: Logged, from: number, to: number): void {
  const { steps } = logged;
  const { bucket } = series;
  const inside = steps.flatMap((step, i) => (step >= from && step <= to ? [i] : []));
  const begin = Math.floor((inside[0] ?? 0) / bucket) * bucket;
  const end = Math.min(steps.length, Math.ceil(((inside.at(-1) ?? -1) + 1) / bucket) * bucket);
  const part = { steps: steps.slice(begin, end), values: logged.values.slice(begin, end) };
  // Buckets are numbered from the first point of the part, which begins one; the ends of the series stand for themselves.
  const groups = new Map<string, number[]>();
  for (let i = begin; i < end; i++) {
    const name =
      bucket === 1 ? `${i}` : i === 0 ? 'first' : i === steps.length - 1 ? 'last' : String(Math.floor(i / bucket));
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [i - begin]);
    else group.push(i - begin);
  }
  const known = (members: readonly number[]): number[] =>
    members.map((i) => part.values[i]!).filter((value) => !Number.isNaN(value));
  expect(series.points).toBe(end - begin);
  expect([...series.min]).toEqual([...groups.values()].map((each) => orNaN(Math.min(...known(each)), known(each))));
  expect([...series.max]).toEqual([...groups.values()].map((each) => orNaN(Math.max(...known(each)), known(each))));
  expect([...series.nonFinite]).toEqual(
    [...groups.values()].map((each) => each.filter((i) => !Number.isFinite(part.values[i])).length),
  );
  expectClose(
    series.step,
    Float64Array.from(groups.values(), (each) => each.reduce((sum, i) => sum + part.steps[i]! / each.length, 0)),
  );
  expectClose(
    series.value,
    Float64Array.from(groups.values(), (each) => {
      const values = each.map((i) => part.values[i]!);
      const finite = values.filter(Number.isFinite);
      return finite.length > 0
        ? finite.reduce((sum, value) => sum + value / finite.length, 0)
        : values.reduce((sum, value) => sum + value, 0);
    }),
  );
}

const orNaN = (value: number, of: readonly number[]): number => (of.length === 0 ? Number.NaN : value);
