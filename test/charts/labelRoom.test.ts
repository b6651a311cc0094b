/** Labels of axes stand inside of the picture, at both ends, whatever is shown and however narrow it is. */
import { describe, expect, it } from 'vitest';
import { lineOption, scalesOf } from '../../preload/charts/draw/lineOption.ts';
import type { AxisModel, ChartTheme, LineModel } from '../../preload/charts/draw/model.ts';
import { toPixel } from '../../preload/charts/draw/scale.ts';

const THEME = {
  surface: '#fff',
  line: '#000',
  text: '#000',
  muted: '#000',
  accent: '',
  bad: '',
  font: '',
} as ChartTheme;
/** Of Inter at 11 px: figures are 6.4 wide, letters and signs less. */
const FIGURE = 6.4;

interface Axis {
  readonly min: number;
  readonly max: number;
  readonly axisLabel: { readonly customValues: readonly number[]; readonly formatter: (value: number) => string };
}

const axis = (min: number, max: number, more: Partial<AxisModel> = {}): AxisModel => ({
  label: 'step',
  log: false,
  min,
  max,
  ...more,
});

const X: Record<string, AxisModel> = {
  'a single point': axis(49_999, 50_001, { unit: 'step' }),
  'a single point at 1': axis(0, 2, { unit: 'step' }),
  'a single point of a large number': axis(123_456_788, 123_456_790, { unit: 'tokens' }),
  'a single point, logarithmic': axis(50_000 / 1.5, 50_000 * 1.5, { log: true }),
  'a single time': axis(3 * 3600 - 1, 3 * 3600 + 1, { unit: 's' }),
  'first and last at the ends': axis(0, 10_000, { unit: 'step' }),
  decades: axis(1e-6, 1e6, { log: true }),
  times: axis(0, 7200, { unit: 's' }),
  'memory, logarithmic': axis(1024 ** 2, 1024 ** 4, { log: true, unit: 'bytes' }),
  'negative numbers': axis(-123_456, -100_000),
  'a negative single number': axis(-1_000_001, -999_999),
  'both signs': axis(-1e-7, 1e-7),
  shares: axis(0, 1, { unit: 'share' }),
  'values of a setting': axis(1e-5, 0.0123456, { log: true, ticks: [1e-5, 0.000123456, 0.0123456] }),
  'huge numbers': axis(-8e307, 8e307),
};

describe.each([150, 220, 340, 900])('in a picture %i wide', (width) => {
  it.each(Object.entries(X))('%s', (_, x) => {
    const y = axis(2, 4, { label: 'loss' });
    const model: LineModel = { lines: [], x, y, references: [], notes: [], outside: [] };
    const { xAxis, yAxis } = lineOption(model, THEME, width, 200) as { readonly xAxis: Axis; readonly yAxis: Axis };
    const scales = scalesOf(model, width, 200);
    expect(scales.x.to - scales.x.from).toBeGreaterThan(width / 3);
    expect(xAxis.axisLabel.customValues.length).toBeGreaterThan(0);
    for (const value of xAxis.axisLabel.customValues) {
      const half = (FIGURE * xAxis.axisLabel.formatter(value).length) / 2;
      const at = toPixel(scales.x, value);
      expect.soft(at + half, `end of ${xAxis.axisLabel.formatter(value)}`).toBeLessThanOrEqual(width);
      expect.soft(at - half, `begin of ${xAxis.axisLabel.formatter(value)}`).toBeGreaterThanOrEqual(0);
    }
    for (const value of yAxis.axisLabel.customValues)
      expect(FIGURE * yAxis.axisLabel.formatter(value).length).toBeLessThanOrEqual(scales.x.from);
  });
});

it('names of places are cut to their place (would catch a long last name that ends outside)', () => {
  const categories = ['a', 'a very long name of a file that nobody can read', 'b'];
  const x = axis(0.5, 3.5, { categories });
  const y = axis(2, 4);
  const { xAxis } = lineOption({ lines: [], x, y, references: [], notes: [], outside: [] }, THEME, 400, 200) as {
    readonly xAxis: { readonly axisLabel: { readonly width: number; readonly overflow: string } };
  };
  expect(xAxis.axisLabel.overflow).toBe('truncate');
  expect(xAxis.axisLabel.width).toBeLessThan(400 / 3);
});
