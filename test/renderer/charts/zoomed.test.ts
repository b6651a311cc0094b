/** Zoomed charts against what they must be by the plain points: nothing that is left out of the work may be missing in the picture. */
import { describe, expect, test } from 'vitest';
import type { Series } from '../../../preload/contract/metrics.ts';
import { JoinedCurve, seamOf } from '../../../renderer/charts/data/joined.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import { lineOption, scalesOf } from '../../../preload/charts/draw/lineOption.ts';
import type { ChartTheme, DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { toPixels } from '../../../preload/charts/draw/scale.ts';
import { valueAt, valuesAt } from '../../../preload/charts/series/line.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
let state = seed;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));

function column(length: number, gaps = 0.1): Float64Array {
  return Float64Array.from({ length }, () => (random() < gaps ? Number.NaN : random() * 10 - 2));
}
function increasing(length: number, from: number, spread: number): Float64Array {
  let at = from;
  return Float64Array.from({ length }, () => (at += 0.01 + random() * spread));
}

function series(step: Float64Array, bucket: number, x?: Float64Array): Series {
  const { length } = step;
  const columns = { value: column(length), min: column(length), max: column(length) };
  return { step, ...columns, nonFinite: new Uint32Array(length), bucket, points: length * bucket, ...(x && { x }) };
}

describe(`a fine curve within a coarse one; seed ${seed}`, () => {
  test('has the fine points in their range and the coarse ones beside it (catches: a point twice, a point lost, a column of another)', () => {
    for (let round = 0; round < 200; round++) {
      const step = increasing(between(1, 40), 0, 3);
      const fineStep = increasing(between(1, 40), random() * step.at(-1)! - 2, 0.5);
      // The first of both may be the same point.
      const shared = step[between(0, step.length - 1)]!;
      if (random() < 0.3 && shared < (fineStep[1] ?? Infinity)) fineStep[0] = shared;
      const metric = random() < 0.5 ? 'tokens' : undefined;
      const xOf = (steps: Float64Array): Float64Array | undefined =>
        metric === undefined ? undefined : steps.map((s) => 2 * s);
      const whole = new LiveCurve(series(step, 16, xOf(step)), metric);
      const fine = new LiveCurve(series(fineStep, 2, xOf(fineStep)), metric);
      const before = { step: [...whole.step], curve: { ...whole.curve } };
      const joined = new JoinedCurve(whole, fine, seamOf(whole.step, fine.step), metric === undefined);
      // Columns are put together late: points that came in meanwhile do not belong to them.
      whole.append('m', [
        { metric: 'm', steps: Float64Array.of(1e6), values: Float64Array.of(7) },
        { metric: 'tokens', steps: Float64Array.of(1e6), values: Float64Array.of(2e6) },
      ]);
      const [first, last] = [fineStep[0]!, fineStep.at(-1)!];
      for (const key of ['x', 'y', 'min', 'max'] as const) {
        const outer = (keep: (s: number) => boolean): number[] =>
          [...before.curve[key].subarray(0, before.step.length)].filter((_, i) => keep(before.step[i]!));
        expect([...joined.curve[key]], key).toEqual([
          ...outer((s) => s < first),
          ...fine.curve[key],
          ...outer((s) => s > last),
        ]);
      }
      expect(joined.step).toHaveLength(joined.curve.x.length);
      expect(joined).toMatchObject({ bucket: 2, spacing: whole.spacing, increasing: true });
    }
  });
});

const theme: ChartTheme = {
  surface: '#fff',
  line: '#000',
  text: '#000',
  muted: '#000',
  accent: '#000',
  bad: '#000',
  font: 'x',
};

function curvesOf(model: LineModel): Float32Array[] {
  const { series: drawn } = lineOption(model, theme, 400, 200) as {
    series: {
      data: unknown[];
      renderItem(params: { dataIndex: number }): { shape: { curve: { points: Float32Array; below?: Float32Array } } };
    }[];
  };
  const [curves] = drawn;
  return curves!.data.flatMap((_, dataIndex) => {
    const { points, below } = curves!.renderItem({ dataIndex }).shape.curve;
    return below === undefined ? [points] : [points, below];
  });
}

test(`a zoomed line is drawn as all of it would be, from edge to edge (catches: a cut before the frame's edge); seed ${seed}`, () => {
  for (let round = 0; round < 200; round++) {
    const length = between(2, 300);
    const x = increasing(length, random() * 10, 2);
    const y = column(length, random() < 0.5 ? 0 : 0.1);
    const [a, b] = [random(), random()].toSorted((p, q) => p - q);
    const span = x.at(-1)! - x[0]!;
    const range = { min: x[0]! + a! * span, max: Math.max(x[0]! + b! * span, x[0]! + a! * span + 0.01) };
    const line: DrawnLine = {
      id: 'a',
      group: 'a',
      label: 'a',
      color: '#123456',
      x,
      y,
      low: y.map((v) => v - 1),
      high: y.map((v) => v + 1),
      reduced: true,
      increasing: true,
    };
    const model: LineModel = {
      lines: [line],
      x: { label: 'step', log: false, ...range },
      y: { label: 'y', log: false, min: -3, max: 9 },
      references: [],
      notes: [],
      outside: [],
    };
    const scales = scalesOf(model, 400, 200);
    const all = toPixels(x, y, scales.x, scales.y);
    const drawn = curvesOf(model);
    const inFrame = (points: Float32Array): string[] => {
      const found: string[] = [];
      // Each stretch between two points that touches the frame.
      for (let i = 0; i + 3 < points.length; i += 2)
        if (points[i + 2]! >= scales.x.from && points[i]! <= scales.x.to)
          found.push([points[i], points[i + 1], points[i + 2], points[i + 3]].join(' '));
      return found;
    };
    const stretches = drawn.flatMap(inFrame);
    expect(stretches).toEqual(expect.arrayContaining(inFrame(all)));
    for (const edge of [line.low!, line.high!])
      expect(stretches).toEqual(expect.arrayContaining(inFrame(toPixels(x, edge, scales.x, scales.y))));
  }
});

test(`many places of a curve at once are what each is alone (catches: a place on a point, before the first, in a gap); seed ${seed}`, () => {
  for (let round = 0; round < 200; round++) {
    const x = increasing(between(0, 30), 0, 2);
    const y = column(x.length);
    const places = Float64Array.from({ length: between(0, 40) }, () =>
      random() < 0.3 && x.length > 0 ? x[between(0, x.length - 1)]! : random() * 40 - 3,
    ).sort();
    expect(valuesAt(x, y, places)).toEqual(places.map((at) => valueAt(x, y, at)));
  }
});
