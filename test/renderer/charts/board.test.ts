import { describe, expect, it } from 'vitest';
import { csvOf } from '../../../preload/charts/draw/csv.ts';
import { nearestLine } from '../../../renderer/charts/draw/nearest.ts';
import { fromPixel, toPixel, toPixels } from '../../../preload/charts/draw/scale.ts';
import type { DrawnLine } from '../../../preload/charts/draw/model.ts';
import { defaultState, stateFromText, stateText, unpackState } from '../../../preload/charts/board/boardState.ts';

describe('the state of a board', () => {
  it('comes back from the address, defaults left out', () => {
    const state = { ...defaultState(), x: 'tokens', smoothing: 0.9, hidden: ['r1'] };
    expect(stateText(defaultState())).toBe('');
    expect(stateText(state)).not.toContain('band');
    expect(stateFromText(stateText(state))).toEqual(state);
  });
  it('survives nonsense (a typed address, a layout of another version)', () => {
    expect(stateFromText('{broken')).toBeUndefined();
    expect(unpackState({ x: 3, smoothing: 7, band: 'wide', hidden: [1, 'a'], extra: 1 })).toEqual({
      ...defaultState(),
      hidden: ['a'],
    });
    expect(unpackState(null)).toEqual(defaultState());
  });
});

describe('pixels', () => {
  const linear = { min: 0, max: 10, log: false, from: 100, to: 200 };
  const log = { min: 1e-3, max: 10, log: true, from: 300, to: 100 };
  it('and back, on both kinds of axis', () => {
    expect(toPixel(linear, 5)).toBe(150);
    expect(toPixel(log, 0.1)).toBeCloseTo(200, 10);
    expect(toPixel(log, 0)).toBeNaN();
    for (const scale of [linear, log]) expect(toPixel(scale, fromPixel(scale, 171))).toBeCloseTo(171, 10);
  });
  it('a curve with more points than pixels keeps every spike, its first and its last point', () => {
    const x = Float64Array.from({ length: 20_000 }, (_, i) => i / 2000);
    const y = x.map((_, i) => (i === 7777 ? 9 : 1));
    const points = toPixels(x, y, linear, { min: 0, max: 10, log: false, from: 100, to: 0 });
    const ys = points.filter((_, i) => i % 2 === 1);
    expect(points.length).toBeLessThan(2 * 4 * 102);
    expect(Math.min(...ys)).toBeCloseTo(10, 4);
    expect(points[0]).toBe(100);
    expect(points.at(-2)).toBeCloseTo(toPixel(linear, x.at(-1)!), 3);
  });
  it('what is not finite is a gap', () => {
    const points = toPixels([0, 1, 2], [1, Number.NaN, 3], linear, linear);
    expect(points[2]).toBeNaN();
    expect(points[4]).toBe(120);
  });
});

describe('the line that is meant', () => {
  const scale = { min: 0, max: 100, log: false, from: 0, to: 100 };
  const line = (id: string, level: number, end = 100): DrawnLine => ({
    id,
    group: id,
    label: id,
    color: '#000',
    x: Float64Array.of(0, end),
    y: Float64Array.of(level, level),
    increasing: true,
  });
  it('is the nearest in y between its points, not the one with the nearest point', () => {
    expect(nearestLine([line('low', 10), line('high', 60)], 50, 55, 50, { x: scale, y: scale })?.line.id).toBe('high');
  });
  it('is none when all are far, and an ended line is not held', () => {
    expect(nearestLine([line('low', 1)], 50, 90, 50, { x: scale, y: scale })).toBeUndefined();
    expect(nearestLine([line('ended', 55, 5), line('low', 30)], 50, 55, 50, { x: scale, y: scale })?.line.id).toBe(
      'low',
    );
  });
});

describe('CSV of a chart', () => {
  it('has every number exactly and defuses formulas', () => {
    const model = {
      lines: [
        {
          id: 'a',
          group: 'a',
          label: '=evil, "x"',
          color: '',
          x: Float64Array.of(1),
          y: Float64Array.of(0.1 + 0.2),
          increasing: true,
        },
      ],
      x: { label: 'step', log: false, min: 0, max: 1 },
      y: { label: 'loss', log: false, min: 0, max: 1 },
      references: [],
      notes: [],
    };
    const text = csvOf([{ title: '', model }]);
    expect(text.split('\n')[1]).toBe('"\'=evil, ""x""",1,0.30000000000000004,,,,');
    const facets = csvOf([
      { title: 'depth 2', model },
      { title: 'depth 4', model },
    ]).split('\n');
    expect(facets[0]).toBe('facet,line,step,loss,raw,low,high,n');
    expect(facets[2]).toMatch(/^depth 4,.*,1,0\.30000000000000004,,,,$/u);
  });
});
