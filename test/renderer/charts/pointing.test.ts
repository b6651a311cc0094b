/** What a chart says of the place that is pointed at, and where that is: always a point that was measured. */
import { describe, expect, it } from 'vitest';
import { stepPointer } from '../../../renderer/charts/board/keyPointer.ts';
import { lineReading, placeTip, tipOf } from '../../../renderer/charts/board/tip.ts';
import { isolatedPoints } from '../../../preload/charts/draw/curves.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { measuredAt, nearestLine } from '../../../renderer/charts/draw/nearest.ts';

const line = (id: string, x: readonly number[], y: readonly number[], more: Partial<DrawnLine> = {}): DrawnLine => ({
  id,
  group: id,
  label: id,
  color: '',
  x: Float64Array.from(x),
  y: Float64Array.from(y),
  increasing: true,
  ...more,
});
const model = (lines: readonly DrawnLine[], more: Partial<LineModel> = {}): LineModel => ({
  lines,
  x: { label: 'step', log: false, min: 0, max: 200, unit: 'step' },
  y: { label: 'loss', log: false, min: 0, max: 10 },
  references: [],
  notes: [],
  outside: [],
  ...more,
});
const plain = (text: string): string => text.replaceAll('\u00A0', ' ');

describe('the place that is pointed at', () => {
  const every50 = line('a', [0, 50, 100, 150], [5, 4, 3, 2]);
  const every20 = line('b', [0, 20, 40, 60, 80, 100, 120], [9, 8, 8, 8, 8, 8, 8]);
  it('is the nearest x at which something was measured (would catch "step 118.24" over values of step 100)', () => {
    expect(measuredAt([every50], 118.24)).toBe(100);
    expect(measuredAt([every50, every20], 118.24)).toBe(120);
    expect(measuredAt([line('n', [100, 120], [1, Number.NaN])], 118)).toBe(100);
    expect(measuredAt([], 118)).toBeUndefined();
  });
  it('lies within what is shown', () => {
    expect(measuredAt([every50], 160, { from: 40, to: 140 })).toBe(100);
    expect(measuredAt([every50], 160, { from: 151, to: 170 })).toBeUndefined();
  });
  it('of a line beyond the frame is where it is drawn: at the edge', () => {
    const scale = { min: 0, max: 200, log: false, from: 0, to: 200 };
    const y = { min: 0, max: 10, log: false, from: 100, to: 0 };
    const wild = line('wild', [0, 100, 200], [1e30, 1e30, 1e30]);
    expect(nearestLine([wild], 100, 5, 100, { x: scale, y })?.line.id).toBe('wild');
  });
});

describe('the box beside the pointer', () => {
  it('begins with the best where more is better (catches the worst accuracy at the top of the list)', () => {
    const lines = [
      line('low', [0, 10], [0.1, 0.2]),
      line('high', [0, 10], [0.1, 0.4]),
      line('mid', [0, 10], [0.1, 0.3]),
    ];
    const order = (more: Partial<LineModel>) =>
      tipOf(model(lines, more), { x: 10, near: undefined }).rows.map(({ line: { id } }) => id);
    expect(order({ higherBetter: true })).toEqual(['high', 'mid', 'low']);
    expect(order({})).toEqual(['low', 'mid', 'high']);
  });

  it('names the x that was measured, and where another line has its point (would catch values of an x that the head does not name)', () => {
    const tip = tipOf(model([line('a', [0, 50, 100], [5, 4, 3]), line('b', [0, 40, 80], [9, 8, 7])]), {
      x: 50,
      near: undefined,
    });
    expect(tip.head).toBe('step 50');
    expect(tip.rows.map(({ line: { id }, text, at }) => [id, text, at])).toEqual([
      ['a', '4', ''],
      ['b', '8', 'at 40'],
    ]);
  });
  it('says where points are means of several steps', () => {
    const reduced = line('a', [0, 49.5, 100], [5, 4, 3], { reduced: true });
    expect(tipOf(model([reduced]), { x: 49.5, near: undefined }).head).toBe('step ≈ 49.5');
  });
  it('aligns values and counts the runs that are missing', () => {
    const group = (id: string, mean: number, sd: number, n: number): DrawnLine =>
      line(id, [0], [mean], {
        n: Uint32Array.of(n),
        runs: 3,
        low: Float64Array.of(mean - sd),
        high: Float64Array.of(mean + sd),
      });
    const { rows } = tipOf(model([group('a', 2.0273, 0.0084, 3), group('b', 2.38, 0.15, 2)]), {
      x: 0,
      near: undefined,
    });
    expect(rows.map(({ text, n }) => [text, n])).toEqual([
      ['2.0273 ± 0.0084', 'N 3'],
      ['2.3800 ± 0.1500', 'N 2 of 3'],
    ]);
  });
  it('names the least and the most of a group, which do not lie evenly', () => {
    const group = line('a', [0], [2], {
      n: Uint32Array.of(3),
      runs: 3,
      low: Float64Array.of(1),
      high: Float64Array.of(5),
    });
    expect(tipOf(model([group]), { x: 0, near: undefined }).rows[0].text).toBe('2 (1 – 5)');
  });
  it('shows shares in per cent and categories by name', () => {
    const x = { label: 'optimizer.kind', log: false, min: 0.5, max: 2.5, categories: ['adamw', 'sgd'] };
    const y = { label: 'accuracy', log: false, min: 0, max: 1, unit: 'share' };
    const { head, rows } = tipOf(model([line('a', [1, 2], [0.5, 0.42])], { x, y }), { x: 2, near: undefined });
    expect([head, plain(rows[0].text)]).toEqual(['optimizer.kind sgd', '42 %']);
  });
  it.each([
    ['beside the pointer', 400, { left: 414, top: 100 }],
    ['left of it where the window ends', 900, { left: 686, top: 100 }],
    ['within the window also where neither side has room', 150, { left: 164, top: 100 }],
  ])('stands %s', (_, x, expected) => {
    expect(placeTip({ x, y: 100 }, { width: 200, height: 80 }, { width: 1000, height: 600 })).toEqual(expected);
  });
  it('is never cut, however narrow the window (would catch a box that a panel or the edge hides)', () => {
    for (let x = 0; x <= 400; x += 10) {
      const { left, top } = placeTip({ x, y: 590 }, { width: 300, height: 80 }, { width: 400, height: 600 });
      expect([left >= 8, left + 300 <= 392, top + 80 <= 592]).toEqual([true, true, true]);
    }
  });
});

describe('the head of a chart', () => {
  const smoothed = line('a', [0, 1, 2, 3], [5, 4, 3.5, 3.2], { raw: Float64Array.of(5, 1.82, 4, 2.397) });
  it('shows values as logged, not the smoothed ones (would catch a best of 1.829 where 1.820 was logged)', () => {
    expect(lineReading(smoothed, 'minimize', 'nats/token')).toMatchObject({ last: '2.397', best: '1.820', n: '' });
    expect(lineReading(smoothed, 'maximize', '')).toMatchObject({ best: '5' });
    expect(lineReading(smoothed, undefined, '')).toMatchObject({ best: '' });
  });
  it('finds a best that lies behind a reduced point', () => {
    const reduced = line('a', [0, 50, 100], [5, 3, 2], {
      low: Float64Array.of(5, 1.5, 2),
      high: Float64Array.of(5, 6, 2),
    });
    expect(lineReading(reduced, 'minimize', '')).toMatchObject({ last: '2', best: '1.500' });
    expect(lineReading(reduced, 'maximize', '')).toMatchObject({ best: '6' });
  });
  it('of a mean says of how many runs, and in the unit of the metric', () => {
    const mean = line('g', [0, 1], [0.3, 0.42], {
      n: Uint32Array.of(3, 2),
      runs: 3,
      low: Float64Array.of(0.2, 0.4),
      high: Float64Array.of(0.4, 0.44),
    });
    const { last, best, n } = lineReading(mean, 'maximize', 'share');
    expect([plain(last), plain(best), n]).toEqual(['42.0 %', '42.0 %', 'N 2 of 3']);
    expect(lineReading({ ...mean, n: Uint32Array.of(3, 3) }, 'minimize', '')).toMatchObject({
      last: '0.4200',
      best: '0.3000',
      n: '',
    });
  });
  it('passes over what is not finite', () => {
    expect(lineReading(line('a', [0, 1, 2], [3, Number.NaN, Infinity]), 'minimize', '')).toMatchObject({
      last: '3',
      best: '3',
    });
    expect(lineReading(line('a', [0], [Number.NaN]), 'minimize', '')).toMatchObject({ last: 'NaN', best: 'NaN' });
  });
});

describe('arrow keys', () => {
  const low = line('low', [0, 10, 20, 30], [1, 2, Number.NaN, 4]);
  const high = line('high', [0, 15, 30, 500], [7, 8, 9, 9]);
  const both = model([low, high]);
  const go = (from: Parameters<typeof stepPointer>[1], ...keys: string[]): [string, number] | undefined => {
    let at = from;
    for (const key of keys) {
      const next = stepPointer(both, at, key);
      if (next !== undefined) at = { near: next };
    }
    return at?.near === undefined ? undefined : [at.near.line.id, at.near.line.x[at.near.index]];
  };
  it('begin at the last point, go from point to point over gaps, and stop at the ends', () => {
    expect(go(undefined, 'ArrowLeft')).toEqual(['low', 30]);
    expect(go(undefined, 'ArrowLeft', 'ArrowLeft')).toEqual(['low', 10]);
    expect(go(undefined, 'Home', 'ArrowLeft')).toEqual(['low', 0]);
    expect(go(undefined, 'Home', 'End', 'ArrowRight')).toEqual(['low', 30]);
  });
  it('go from line to line by value, and never beyond what is shown', () => {
    expect(go(undefined, 'End', 'ArrowUp')).toEqual(['high', 30]);
    expect(go(undefined, 'End', 'ArrowUp', 'ArrowUp', 'End')).toEqual(['high', 30]);
    expect(go(undefined, 'End', 'ArrowUp', 'ArrowDown')).toEqual(['low', 30]);
  });
  it('leave other keys to the page', () => {
    expect(stepPointer(both, undefined, 'a')).toBeUndefined();
    expect(stepPointer(model([]), undefined, 'ArrowLeft')).toBeUndefined();
  });
});

describe('a point without neighbours', () => {
  it('is found, to be drawn as a dot (would catch a run of one evaluation that is invisible)', () => {
    const nan = Number.NaN;
    expect([...isolatedPoints(Float32Array.of(1, 2))]).toEqual([1, 2, nan, nan]);
    expect([...isolatedPoints(Float32Array.of(1, 2, 3, 4))]).toEqual([]);
    expect([...isolatedPoints(Float32Array.of(1, 2, nan, nan, 5, 6, nan, nan, 7, 8, 9, 10))]).toEqual([
      1,
      2,
      nan,
      nan,
      5,
      6,
      nan,
      nan,
    ]);
  });
});
