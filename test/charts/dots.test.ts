/** Dots and axes of a chart as it is handed to ECharts. */
import { describe, expect, it } from 'vitest';
import { asideOf } from '../../preload/charts/board/trendModel.ts';
import { lineOption, scalesOf } from '../../preload/charts/draw/lineOption.ts';
import type { AxisModel, DrawnLine, LineModel } from '../../preload/charts/draw/model.ts';

const theme = { surface: '', line: '', text: '', muted: '', accent: '', bad: '', font: '' };
const axis = (min: number, max: number, log = false): AxisModel => ({ label: 'v', log, min, max });
const line = (x: number[], y: number[], more: Partial<DrawnLine> = {}): DrawnLine => ({
  id: `${x}|${y}`,
  group: 'g',
  label: '',
  color: 'red',
  x: Float64Array.from(x),
  y: Float64Array.from(y),
  increasing: true,
  ...more,
});
const modelOf = (lines: DrawnLine[], x: AxisModel, y: AxisModel): LineModel => ({
  lines,
  x,
  y,
  references: [],
  notes: [],
  outside: [],
});

interface Series {
  readonly clip: boolean;
  readonly data: readonly unknown[];
  readonly renderItem: (params: { dataIndex: number }) => {
    shape?: { curve: { points: Float32Array } };
    style?: { lineCap?: string };
  };
}
/** The middles of all round dots, and whether the frame cuts them. */
function dotsOf(model: LineModel): { x: number; y: number; cut: boolean }[] {
  const { series } = lineOption(model, theme, 400, 300) as { series: Series[] };
  return series.flatMap(({ clip, data, renderItem }) =>
    data.flatMap((_, dataIndex) => {
      const { shape, style } = renderItem({ dataIndex });
      if (style?.lineCap !== 'round' || shape === undefined) return [];
      const { points } = shape.curve;
      return Array.from({ length: points.length / 4 }, (__, i) => ({
        x: points[4 * i],
        y: points[4 * i + 1],
        cut: clip,
      }));
    }),
  );
}

describe('a dot', () => {
  it.each([
    ['at the left edge', 0, 3],
    ['at the right edge', 10, 3],
    ['in the corner below', 0, 1],
    ['in the corner above', 10, 5],
    ['in the middle', 5, 3],
  ])('%s of the frame is drawn whole (would catch half a point at x = 0)', (_, x, y) => {
    for (const markers of [false, true]) {
      const model = modelOf([line([x], [y], { markers })], axis(0, 10), axis(1, 5));
      const { x: sx, y: sy } = scalesOf(model, 400, 300);
      const [dot, ...others] = dotsOf(model);
      expect(others).toEqual([]);
      expect(dot.cut).toBe(false);
      expect(dot.x).toBeCloseTo(sx.from + (x / 10) * (sx.to - sx.from), 3);
      expect(dot.y).toBeCloseTo(sy.from + ((y - 1) / 4) * (sy.to - sy.from), 3);
    }
  });

  it('outside of the frame is not drawn over the axes', () => {
    for (const markers of [false, true]) {
      const lines = [line([-1], [3], { markers }), line([11], [3], { markers }), line([5], [9], { markers })];
      expect(dotsOf(modelOf(lines, axis(0, 10), axis(1, 5)))).toEqual([]);
    }
  });
});

describe('bars of one x', () => {
  it('stand side by side (would catch bars that hide each other)', () => {
    for (const lines of [1, 2, 3, 5, 12, 40]) {
      const places = Array.from({ length: lines }, (_, i) => asideOf(i, lines));
      expect(new Set(places).size).toBe(lines);
      expect(places.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
      expect(places.at(-1)! - places[0]).toBeLessThanOrEqual(24);
    }
    const two = [-3, 3].map((aside, i) => line([5], [3], { id: String(i), markers: true, aside }));
    const [a, b] = dotsOf(modelOf(two, axis(0, 10), axis(1, 5)));
    expect(b.x - a.x).toBeCloseTo(6, 3);
    expect(b.y).toBe(a.y);
  });
});

describe('an axis', () => {
  it('says that it is logarithmic (would catch a scale chosen without a word)', () => {
    const named = (log: boolean): unknown =>
      (lineOption(modelOf([], axis(1, 100, log), axis(1, 5)), theme, 400, 300) as { xAxis: { name: string } }).xAxis
        .name;
    expect(named(true)).toBe('v (log)');
    expect(named(false)).toBe('v');
  });
});
