/** What a zoomed chart is made of against the same chart of all points: nothing that is left out may change what is seen. */
import { describe, expect, it } from 'vitest';
import type { Series } from '../../../preload/contract/metrics.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import { JoinedCurve, seamOf } from '../../../renderer/charts/data/joined.ts';
import { lineModel } from '../../../preload/charts/data/lineModel.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import type { RunCurve } from '../../../preload/charts/data/live.ts';
import { curveItems } from '../../../preload/charts/draw/curveItems.ts';
import { scalesOf } from '../../../preload/charts/draw/lineOption.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
let state = seed;
const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
const pick = <T>(list: readonly T[]): T => list[between(0, list.length - 1)]!;

function seriesAt(step: Float64Array, bucket: number): Series {
  const value = step.map(() => (random() < 0.1 ? Number.NaN : 0.1 + random() * 10));
  const [min, max] = [value.map((v) => v - random()), value.map((v) => v + random())];
  const points = step.length * bucket;
  return { step, value, min, max, nonFinite: new Uint32Array(step.length), bucket, points };
}
function steps(length: number, from: number, spread: number): Float64Array {
  let at = from;
  return Float64Array.from({ length }, () => (at += 0.05 + random() * spread));
}

/** Some runs share their steps, some have their own, some have a finer part, some end before the window or begin behind it. */
function curvesOf(runs: number, range: { min: number; max: number }): Map<string, RunCurve> {
  const shared = steps(between(1, 60), 0, 3);
  const fineShared = steps(between(2, 30), range.min - 1, 0.5);
  return new Map(
    Array.from({ length: runs }, (_, i) => {
      const step = random() < 0.6 ? shared : steps(between(1, 60), random() * 80, pick([0.2, 3]));
      const whole = new LiveCurve(seriesAt(step, 16));
      if (random() < 0.5) return [`r${i}`, whole];
      const fine = random() < 0.7 ? fineShared : steps(between(2, 30), range.min - 1, 0.5);
      const part = new LiveCurve(seriesAt(fine, 2));
      return [`r${i}`, new JoinedCurve(whole, part, seamOf(whole.step, fine), true)];
    }),
  );
}

/** Points of a line within the window, by their x. */
function inside({ x, y, low, high, raw, n }: DrawnLine, { min, max }: LineModel['x']): unknown[] {
  return Array.from(x, (at, i) => [at, y[i], low?.[i], high?.[i], raw?.[i], n?.[i]]).filter(
    ([at]) => at! >= min && at! <= max,
  );
}
/** Segments of everything drawn that meet the frame. */
function segments(model: LineModel): string[] {
  const scales = scalesOf(model, 400, 200);
  return curveItems(model, scales).flatMap(({ shape: { curve }, style, z2 }) =>
    [curve.points, curve.below ?? new Float32Array()].flatMap((points) => {
      const found: string[] = [];
      for (let i = 0; i + 3 < points.length; i += 2)
        if (points[i + 2]! >= scales.x.from && points[i]! <= scales.x.to)
          found.push(
            `${z2} ${style.lineDash?.join() ?? ''} ${[...points.subarray(i, i + 4)].map((v) => v.toFixed(2)).join(' ')}`,
          );
      return found;
    }),
  );
}

describe(`a zoomed chart; seed ${seed}`, () => {
  it('shows what all of its points would show (catches: a mean of fewer runs at an edge, another band, axis or note)', () => {
    for (let round = 0; round < 300; round++) {
      const min = random() * 90;
      const range = { min, max: min + 0.5 + random() * 30 };
      const curves = curvesOf(between(1, 8), range);
      const ids = [...curves.keys()];
      const grouped = random() < 0.6;
      const options = {
        groups: grouped
          ? [
              { id: 'a', label: 'a', color: '#f00', runs: ids.filter((_, i) => i % 2 === 0) },
              { id: 'b', label: 'b', color: '#00f', runs: ids.filter((_, i) => i % 2 === 1) },
            ]
          : ids.map((id) => ({ id, label: id, color: '#f00', runs: [id] })),
        metrics: ['loss'],
        grouped,
        curve: (_: string, run: string) => curves.get(run),
        band: pick<Band>(['sd', 'se', 'ci95', 'minmax', 'none']),
        smoothing: pick([0, 0, 0.6]),
        relative: random() < 0.2,
        xLabel: 'step',
        xLog: random() < 0.2,
        yLabel: 'loss',
        yLog: random() < 0.3,
        clipOutliers: random() < 0.5,
        outlying: 'above' as const,
        xRange: range,
      };
      const shown = lineModel(options);
      const all = lineModel({ ...options, entire: true });
      const where = `round ${round}`;
      expect(
        shown.lines.map(({ id, runs }) => [id, runs]),
        where,
      ).toEqual(all.lines.map(({ id, runs }) => [id, runs]));
      for (const [i, line] of shown.lines.entries())
        expect(inside(line, shown.x), `${where}, ${line.id}`).toEqual(inside(all.lines[i]!, all.x));
      // What has no place on a logarithmic x lies in no window.
      const notesOf = ({ outside }: LineModel): string[] => outside.filter((note) => !note.includes('with step ≤ 0'));
      expect([shown.x, shown.y, notesOf(shown)], where).toEqual([all.x, all.y, notesOf(all)]);
      expect(segments(shown).toSorted(), where).toEqual(segments(all).toSorted());
    }
  });

  it('is made of no more than it shows (catches: means over all of x at each zoom)', () => {
    const step = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const curve = new LiveCurve(seriesAt(step, 1));
    const [line] = lineModel({
      groups: [{ id: 'a', label: 'a', color: '#f00', runs: ['a', 'b'] }],
      metrics: ['loss'],
      grouped: true,
      curve: () => curve,
      band: 'sd',
      smoothing: 0,
      xLabel: 'step',
      xLog: false,
      yLabel: 'loss',
      yLog: false,
      clipOutliers: false,
      xRange: { min: 100, max: 120 },
    }).lines;
    expect([...line!.x]).toEqual(Array.from({ length: 25 }, (_, i) => 98 + i));
  });
});
