import { describe, expect, it } from 'vitest';
import type { Series } from '../../../preload/contract/metrics.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import { lineModel } from '../../../preload/charts/data/lineModel.ts';
import type { LineModelOptions } from '../../../preload/charts/data/lineModel.ts';
import { ChartReader, pointsPerRun } from '../../../renderer/charts/data/reader.ts';
import type { ReadQuery } from '../../../renderer/charts/data/reader.ts';

const series = (step: number[], value: number[], more: Partial<Series> = {}): Series => {
  const y = Float64Array.from(value);
  return {
    step: Float64Array.from(step),
    value: y,
    min: y,
    max: y,
    nonFinite: new Uint32Array(y.length),
    bucket: 1,
    points: y.length,
    ...more,
  };
};
const column = (metric: string, steps: number[], values: number[]) => ({
  metric,
  steps: Float64Array.from(steps),
  values: Float64Array.from(values),
});

describe('a live curve', () => {
  it('continues after its last step and takes no point twice (would catch doubled points after a resync)', () => {
    const curve = new LiveCurve(series([1, 2, 3], [9, 8, 7]));
    expect(curve.append('loss', [column('loss', [2, 3, 4, 5], [0, 0, 6, 5])])).toBe(true);
    expect([...curve.curve.x]).toEqual([1, 2, 3, 4, 5]);
    expect([...curve.curve.y]).toEqual([9, 8, 7, 6, 5]);
    expect(curve.points).toBe(5);
    expect(curve.append('loss', [column('loss', [5], [1])])).toBe(false);
    expect(curve.append('loss', [column('other', [6], [1])])).toBe(false);
  });
  it('places points on another x, and asks the database when the batch does not say where', () => {
    const curve = new LiveCurve(series([1, 2], [5, 4], { x: Float64Array.of(100, 200) }), 'tokens');
    expect(curve.append('loss', [column('loss', [3, 4], [3, 2]), column('tokens', [3, 4], [300, 400])])).toBe(true);
    expect([...curve.curve.x]).toEqual([100, 200, 300, 400]);
    expect(curve.append('loss', [column('loss', [5], [1])])).toBe(false);
    expect(curve.stale).toBe(true);
  });
  it('notices an x that goes back', () => {
    const curve = new LiveCurve(series([1, 2], [5, 4], { x: Float64Array.of(10, 20) }), 'm');
    curve.append('loss', [column('loss', [3], [3]), column('m', [3], [15])]);
    expect(curve.increasing).toBe(false);
  });
  it('grows by many thousand points without losing any', () => {
    const curve = new LiveCurve(series([], []));
    for (let i = 0; i < 5000; i++) curve.append('loss', [column('loss', [i], [i / 2])]);
    expect(curve.curve.y).toHaveLength(5000);
    expect(curve.curve.y[4999]).toBe(2499.5);
  });
});

describe('reading for a chart', () => {
  /** A hundred points, in buckets of 50; of the range every one. */
  const WHOLE = series([0, 50, 100], [3, 2, 1], { bucket: 50, points: 101 });
  const FINE = series([40, 41, 42], [9, 8, 7]);
  const answering = () => {
    const asked: ReadQuery[] = [];
    const reader = new ChartReader(async (query) => {
      asked.push(query);
      const answer = query.from === undefined ? WHOLE : FINE;
      return new Map(query.runs.filter((run) => run !== 'none').map((run) => [run, answer]));
    }, 'loss');
    return { asked, reader };
  };
  it('asks once for what is missing, again only for new runs', async () => {
    const { asked, reader } = answering();
    expect(await reader.need(['a', 'none'], undefined, 300, true)).toBe(true);
    expect(await reader.need(['a', 'none'], undefined, 300, true)).toBe(false);
    await reader.need(['a', 'b'], undefined, 300, true);
    expect(asked.map(({ runs }) => runs)).toEqual([['a', 'none'], ['b']]);
    expect(reader.get('none')?.curve.x).toHaveLength(0);
  });
  it('a zoom reads the range, and lines go on beyond it with what was known (would catch lines that end inside the window)', async () => {
    const { asked, reader } = answering();
    await reader.need(['a'], undefined, 300, true);
    const reading = reader.need(['a'], undefined, 300, true, { from: 40, to: 42 });
    expect([...reader.get('a')!.curve.x]).toEqual([0, 50, 100]);
    await reading;
    expect(asked[1]).toMatchObject({ from: 40, to: 42 });
    expect([...reader.get('a')!.curve.x]).toEqual([0, 40, 41, 42, 50, 100]);
    expect([...reader.get('a')!.curve.y]).toEqual([3, 9, 8, 7, 2, 1]);
    // The whole is there as it was, live points with it: nothing is read to go back.
    expect(reader.append('a', [column('loss', [101], [0])])).toBe(true);
    expect([...reader.get('a')!.curve.x]).toEqual([0, 40, 41, 42, 50, 100, 101]);
    expect(await reader.need(['a'], undefined, 300, true)).toBe(false);
    expect([...reader.get('a')!.curve.x]).toEqual([0, 50, 100, 101]);
  });
  it('a zoom into curves that are there point by point reads nothing', async () => {
    const asked: ReadQuery[] = [];
    const reader = new ChartReader(async (query) => {
      asked.push(query);
      return new Map([['a', series([0, 50, 100], [3, 2, 1])]]);
    }, 'loss');
    await reader.need(['a'], undefined, 300, true);
    expect(await reader.need(['a'], undefined, 300, true, { from: 40, to: 60 })).toBe(false);
    expect(asked).toHaveLength(1);
  });
  it('a chart that became much wider asks for reduced curves again', async () => {
    const { asked, reader } = answering();
    await reader.need(['a'], undefined, 300, true);
    await reader.need(['a'], undefined, 350, true);
    await reader.need(['a'], undefined, 1000, true);
    expect(asked.map(({ maxPoints }) => maxPoints)).toEqual([360, 1200]);
  });
  it('an answer that comes too late is dropped (would catch the curves of an x that was left)', async () => {
    const waiting: (() => void)[] = [];
    const reader = new ChartReader(
      (query) =>
        new Promise((resolve) =>
          waiting.push(() => resolve(new Map([['a', series([0], [query.x === undefined ? 1 : 2])]]))),
        ),
      'loss',
    );
    const first = reader.need(['a'], undefined, 300, true);
    const second = reader.need(['a'], 'tokens', 300, true);
    waiting[1]();
    await second;
    waiting[0]();
    expect(await first).toBe(false);
    expect([...reader.get('a')!.curve.y]).toEqual([2]);
  });
  it('reads a run again that went back to a checkpoint', async () => {
    const { asked, reader } = answering();
    await reader.need(['a', 'b'], undefined, 300, true);
    reader.outdate('a');
    await reader.need(['a', 'b'], undefined, 300, true);
    expect(asked[1].runs).toEqual(['a']);
  });
  it('translates a range of x into steps, with a margin', async () => {
    const reader = new ChartReader(
      async () => new Map([['a', series([0, 50, 100], [3, 2, 1], { x: Float64Array.of(0, 5000, 10_000) })]]),
      'loss',
    );
    await reader.need(['a'], 'tokens', 300, true);
    expect(reader.stepsOf({ from: 2500, to: 7500 })).toEqual({ from: 23, to: 77 });
    expect(reader.stepsOf({ from: 20_000, to: 30_000 })).toBeUndefined();
  });
  it('asks for fewer points the more runs there are', () => {
    expect(pointsPerRun(10, 500)).toBe(600);
    expect(pointsPerRun(500, 500) * 500).toBeLessThanOrEqual(100_000);
    expect(pointsPerRun(100_000, 500)).toBe(100);
  });
});

describe('the lines of a chart', () => {
  const curves = new Map([
    ['a', new LiveCurve(series([0, 1, 2], [4, -1, 2]))],
    ['b', new LiveCurve(series([0, 1, 2], [6, 3, Number.NaN]))],
  ]);
  const options: LineModelOptions = {
    groups: [{ id: 'g', label: 'both', color: '#000', runs: ['a', 'b'] }],
    grouped: true,
    metrics: ['loss'],
    curve: (metric, run) => (metric === 'loss' ? curves.get(run) : undefined),
    band: 'minmax',
    smoothing: 0,
    xLabel: 'step',
    yLabel: 'loss',
    xLog: false,
    yLog: false,
    clipOutliers: false,
  };
  it('are means with N when grouped, runs otherwise', () => {
    const [line] = lineModel(options).lines;
    expect([...line.y]).toEqual([5, 1, 2]);
    expect([...line.n!]).toEqual([2, 2, 1]);
    expect([line.low![0], line.high![0]]).toEqual([4, 6]);
    expect(lineModel({ ...options, grouped: false }).lines.map(({ id }) => id)).toEqual(['a', 'b']);
  });
  it('say what they cannot show', () => {
    expect(lineModel({ ...options, grouped: false, yLog: true }).outside.join()).toMatch(/1 values? ≤ 0/u);
    expect(lineModel({ ...options, grouped: false }).outside.join()).toMatch(/1 values? that (is|are) not finite/u);
  });
  it('the y range is that of the shown part of x', () => {
    const { y } = lineModel({ ...options, grouped: false, xRange: { min: 0.9, max: 2 } });
    expect(y.max).toBeLessThan(4);
  });
  it('an entropy floor near the curves widens y; one far below does not', () => {
    const near = lineModel({ ...options, references: [{ value: 0.1, label: 'floor' }] });
    expect(near.y.min).toBeLessThanOrEqual(0.1);
    const far = lineModel({ ...options, references: [{ value: -90, label: 'floor' }] });
    expect(far.y.min).toBeGreaterThan(-10);
  });
  it('smoothing keeps the values as logged beside the line', () => {
    const [line] = lineModel({ ...options, grouped: false, smoothing: 0.5 }).lines;
    expect([...line.raw!]).toEqual([4, -1, 2]);
    expect(line.y[0]).toBe(4);
    expect(line.y[1]).toBeCloseTo((4 * 0.5 + -1) / 1.5, 12);
  });
  it('of several metrics share the colour of their group, and differ by dashes and names (would catch lines that overwrite each other)', () => {
    const of = { loss: curves.get('a')!, other: curves.get('b')! };
    const both = { ...options, metrics: ['loss', 'other', 'none'], curve: (metric: string) => of[metric as 'loss'] };
    const { lines, y } = lineModel({ ...both, groups: [{ ...options.groups[0], runs: ['a'] }], grouped: false });
    expect(lines.map(({ id, group, label, color, dash }) => [id, group, label, color, dash])).toEqual([
      ['a|loss', 'a', 'both · loss', '#000', undefined],
      ['a|other', 'a', 'both · other', '#000', 1],
    ]);
    // The axes hold both: loss has the lowest value, other the highest.
    expect([y.min < -1, y.max > 6]).toEqual([true, true]);
    expect(lineModel(both).lines.map(({ id, group }) => [id, group])).toEqual([
      ['g|loss', 'g'],
      ['g|other', 'g'],
    ]);
  });
});
