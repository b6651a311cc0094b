/** Metrics of two units in one chart: each has its own y axis, and whatever reads a line reads it from the axis that is its own. */
import { describe, expect, it } from 'vitest';
import { metricCatalog } from '../../../main/engine/train/measures/index.ts';
import { chartPanels, strokesOf } from '../../../preload/charts/board/chartModel.ts';
import type { ChartInput } from '../../../preload/charts/board/chartModel.ts';
import { drawnChart, notDrawn, sidesOf, unitsTaken } from '../../../preload/charts/board/chartSides.ts';
import type { ChartSpec } from '../../../preload/charts/board/chartSpec.ts';
import { tableOf } from '../../../renderer/charts/board/chartTable.ts';
import { stepPointer } from '../../../renderer/charts/board/keyPointer.ts';
import { tipOf } from '../../../renderer/charts/board/tip.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import { csvOf } from '../../../preload/charts/draw/csv.ts';
import { curveItems } from '../../../preload/charts/draw/curveItems.ts';
import { lineOption, scalesOf } from '../../../preload/charts/draw/lineOption.ts';
import { nearestLine } from '../../../renderer/charts/draw/nearest.ts';
import { toPixel } from '../../../preload/charts/draw/scale.ts';

const catalog = metricCatalog();
const chart: ChartSpec = { id: 'chart:1', kind: 'lines', metrics: ['val/loss', 'tokens_per_second'] };
const VALUES: Readonly<Record<string, readonly number[]>> = {
  'val/loss': [4, 3, 2],
  tokens_per_second: [1000, 2000, 3000],
};
const curve = (values: readonly number[]): LiveCurve => {
  const value = Float64Array.from(values);
  const step = Float64Array.from(values, (_, i) => 10 * i);
  const nonFinite = new Uint32Array(values.length);
  return new LiveCurve({ step, value, min: value, max: value, nonFinite, bucket: 1, points: values.length });
};
const input = (facet = '', metrics = chart.metrics): ChartInput => {
  const members = [{ id: 'a', config: { 'model.depth': 4 }, summary: {}, seed: 1 }] as never;
  return {
    chart: { ...chart, metrics },
    look: { x: 'step', xLog: false, yLog: false, smoothing: 0, outliers: true },
    range: undefined,
    curve: (metric) => (VALUES[metric] === undefined ? undefined : curve(VALUES[metric])),
    board: {
      groups: [{ id: 'a', label: 'run a', color: '#123456', runs: ['a'], members }],
      final: members,
      catalog,
      settings: ['model.depth'],
      coloring: { of: () => '#123456' },
      state: { band: 'none', groupBy: 'none', facet },
      references: (metric) =>
        metric === 'val/loss' ? [{ value: 1.9, label: 'floor' }] : [{ value: 900, label: 'least' }],
    },
  };
};
const [{ model }] = chartPanels(input()).panels;
const [loss, speed] = model.lines;

describe('a chart of two units', () => {
  it('has an axis for each, in the range of its own lines (would catch a loss flattened by thousands of tokens)', () => {
    expect(model.y).toMatchObject({ label: 'val/loss (nats/token)', unit: 'nats/token' });
    expect(model.right).toMatchObject({ label: 'tokens_per_second (tokens/s)', unit: 'tokens/s' });
    expect(model.y.max).toBeLessThan(10);
    expect(model.right!.min).toBeGreaterThan(100);
    expect([loss.right, speed.right]).toEqual([undefined, true]);
    expect(model.references.map(({ label, right }) => [label, right])).toEqual([
      ['floor', undefined],
      ['least (right)', true],
    ]);
  });

  it('draws, points at and steps through lines where they are seen', () => {
    const scales = scalesOf(model, 500, 240);
    const top = (i: number): number =>
      Math.min(
        ...curveItems({ ...model, lines: [model.lines[i]] }, scales)
          .at(-1)!
          .shape.curve.points.filter((_, k) => k % 2 === 1),
      );
    expect(top(0)).toBeCloseTo(toPixel(scales.y, 4), 3);
    expect(top(1)).toBeCloseTo(toPixel(scales.right!, 3000), 3);
    const at = toPixel(scales.right!, 3000);
    expect(nearestLine(model.lines, scales.x.to, at, 20, scales)?.line.id).toBe(speed.id);
    // At the last step the speed stands above, at the first the loss.
    expect(stepPointer(model, { near: { line: loss, index: 2 } }, 'ArrowUp')?.line.id).toBe(speed.id);
    expect(stepPointer(model, { near: { line: speed, index: 0 } }, 'ArrowUp')?.line.id).toBe(loss.id);
  });

  it('says units in pictures, tips, tables and CSV', () => {
    const theme = {
      surface: '#fff',
      line: '#ddd',
      text: '#000',
      muted: '#666',
      accent: '#00f',
      bad: '#f00',
      font: 'Inter',
    };
    const { yAxis, grid } = lineOption({ ...model, lines: [] }, theme, 500, 240) as unknown as {
      yAxis: { name?: string; position?: string }[];
      grid: { right: number };
    };
    expect(yAxis.map(({ name, position }) => [name, position])).toEqual([
      ['val/loss (nats/token)', undefined],
      ['tokens_per_second (tokens/s)', 'right'],
    ]);
    expect(grid.right).toBeGreaterThan(36);
    // Too long for a small chart: its unit remains.
    const [, small] = lineOption({ ...model, lines: [] }, theme, 300, 190).yAxis as { name?: string }[];
    expect(small.name).toBe('tokens/s');
    const { rows } = tipOf(model, { x: 20, near: undefined });
    expect(rows.map(({ text }) => text)).toEqual(['2 nats/token', '3,000 tokens/s']);
    expect(tableOf(model).heads.slice(1)).toEqual([
      'run a · val/loss (nats/token)',
      'run a · tokens_per_second (tokens/s)',
    ]);
    const lines = csvOf([{ title: '', model }]).split(/\r?\n/u);
    expect(lines[0]).toBe('line,step,value,axis,raw,low,high,n');
    expect(lines[1]).toContain('4,val/loss (nats/token)');
    expect(lines[4]).toContain('1000,tokens_per_second (tokens/s)');
    expect(strokesOf(chart, catalog, model.lines.length > 1 ? ['tokens_per_second'] : [])).toContain('(right axis)');
  });

  it('keeps both axes in all facets, and against a setting', () => {
    const [facet] = chartPanels(input('model.depth')).panels;
    expect([facet.model.y.label, facet.model.right?.label]).toEqual([model.y.label, model.right!.label]);
    const trend = chartPanels({ ...input(), look: { ...input().look, x: 'setting:model.depth' } }).panels[0].model;
    expect(trend.right?.label).toBe(model.right!.label);
  });

  it('has none of a third unit, and says so', () => {
    const metrics = [...chart.metrics, 'val/accuracy'];
    const sides = sidesOf({ metrics }, catalog);
    expect(sides.others).toEqual(['val/accuracy']);
    expect(notDrawn(sides)).toContain('val/accuracy');
    expect(unitsTaken(sides)).toContain('nats/token at the left, tokens/s at the right');
    expect(drawnChart({ ...chart, metrics }, catalog, 'step').metrics).toEqual(chart.metrics);
    expect(unitsTaken(sidesOf({ metrics: ['val/loss', 'train/loss'] }, catalog))).toBe('');
    expect(chartPanels(input('', ['val/loss'])).panels[0].model.right).toBeUndefined();
  });
});
