/** What a chart's frame holds: robust against runs that diverged, whole for everything else, and honest about the rest. */
import { describe, expect, it } from 'vitest';
import { framingNotes, yAxisOf } from '../../preload/charts/data/frame.ts';
import type { YFrame } from '../../preload/charts/data/frame.ts';
import type { AxisModel, DrawnLine } from '../../preload/charts/draw/model.ts';
import { aggregate } from '../../preload/charts/series/aggregate.ts';
import type { Curve } from '../../preload/charts/series/line.ts';
import { random as seeded, SEED } from '../oracles/random.ts';
import type { Random } from '../oracles/random.ts';

let count = 0;
const line = (y: readonly number[], more: Partial<DrawnLine> = {}): DrawnLine => ({
  id: `line ${count++}`,
  group: 'g',
  label: 'l',
  color: '',
  x: Float64Array.from(y, (_, i) => 5 * i),
  y: Float64Array.from(y),
  increasing: true,
  ...more,
});
const loss: YFrame = { label: 'val/loss', log: false, clip: true, outlying: 'above' };
const everything = { min: -Infinity, max: Infinity };
const frame = (lines: readonly DrawnLine[], change: Partial<YFrame> = {}): AxisModel =>
  yAxisOf(lines, everything, { ...loss, ...change });
const words = (lines: readonly DrawnLine[], y: AxisModel): string[] =>
  framingNotes(lines, { label: 'step', log: false, ...everything }, y);

/** From 4.3 down to `end`, with noise. */
const healthy = (random: () => number, end = 3, points = 9): number[] =>
  Array.from({ length: points }, (_, i) => end + (4.3 - end) * Math.exp((-4 * i) / points) + 0.05 * (random() - 0.5));
/** Begins as all do, and grows by a factor of ten to a million at each evaluation. */
const diverged = (random: () => number, points = 9): number[] => {
  const factor = 10 ** (1 + 5 * random());
  return Array.from({ length: points }, (_, i) => Math.min(1e38, i === 0 ? 4.3 : 4.3 * factor ** i));
};

describe.each([1, 2, 3, SEED])('beside runs that diverged (seed %i)', (seed) => {
  const random = seeded(seed);
  it.each([
    [1, 1],
    [23, 1],
    [12, 12],
    [4, 12],
    [1, 3],
    [490, 10],
  ])('%i healthy ones of %i fill the frame, and what is outside is counted', (good, bad) => {
    const ends = Array.from({ length: good }, () => 2.5 + random());
    const lines = [
      ...ends.map((end) => line(healthy(random, end))),
      ...Array.from({ length: bad }, () => line(diverged(random))),
    ];
    const y = frame(lines);
    const best = Math.min(...lines.flatMap((each) => [...each.y]));
    expect(y.min).toBeLessThan(best);
    expect(y.max).toBeGreaterThan(4.3);
    // At least a third of the height is that of the healthy ones, from their beginning to their end.
    expect((4.3 - best) / (y.max - y.min)).toBeGreaterThan(0.33);
    const beyond = lines.flatMap((each) => [...each.y]).filter((v) => v > y.max);
    expect(words(lines, y)).toEqual([
      expect.stringContaining(
        `${beyond.length.toLocaleString('en')} values of ${bad} line${bad > 1 ? 's' : ''} above the frame, up to `,
      ),
    ]);
  });
});

/** Curves as of a rate that is far too high: up and down for some steps, then beyond all bounds. They begin as all do. */
const runaway = (random: () => number, points: number): number[] => {
  const wobbling = Math.floor(points / 3);
  const factor = 8 + 30 * random();
  return Array.from({ length: points }, (_, i) =>
    i === 0 ? 5.54 : i <= wobbling ? 4 + 4 * random() : 8 * factor ** (i - wobbling),
  );
};
const settling = ({ normal }: Random, points: number, noise: number): number[] =>
  Array.from({ length: points }, (_, i) => 5.54 + (3.6 - 5.54) * (i / (points - 1)) + (i === 0 ? 0 : noise * normal()));
const curveOf = (y: readonly number[]): Curve => {
  const all = Float64Array.from(y);
  return { x: all.map((_, i) => i), y: all, min: all, max: all };
};

describe.each([1, 2, 3, SEED])('runs that go up and down before they diverge (seed %i)', (seed) => {
  const random = seeded(seed);
  describe.each(['by their state', 'by their values'])('found %s', (by) => {
    const sound = by === 'by their state' ? { sound: [] } : {};
    it.each([
      ['single lines of train/loss', 40, 15, 0.05, 1],
      ['noisy ones', 40, 15, 0.15, 1],
      ['means with bands', 40, 15, 0.05, 2],
      ['means of three with bands', 40, 12, 0.05, 3],
      ['short series of val/loss', 9, 6, 0.01, 1],
      ['short means', 9, 6, 0.01, 2],
    ])('%s: the frame is that of the others', (_, points, steps, noise, seeds) => {
      const drawn = (make: () => number[], more: Partial<DrawnLine>): DrawnLine => {
        const { mean, low, high, n } = aggregate(
          Array.from({ length: seeds }, () => curveOf(make())),
          'sd',
        );
        return line([...mean], seeds === 1 ? more : { low, high, n, runs: seeds, ...more });
      };
      for (const [good, bad] of [
        [1, 2],
        [1, 1],
        [3, 1],
        [2, 4],
      ]) {
        const healthy = Array.from({ length: good }, () => drawn(() => settling(random, points, noise), {}));
        const lost = Array.from({ length: bad }, () => drawn(() => runaway(random, steps), sound));
        const all = [...healthy, ...lost];
        const y = frame(all);
        const values = healthy.flatMap((each) => [...each.y]);
        const [best, worst] = [Math.min(...values), Math.max(...values)];
        expect(y.min).toBeGreaterThanOrEqual(0);
        expect(y.min).toBeLessThan(best);
        expect(y.max).toBeGreaterThan(worst);
        // A third more on either side for bands, and the room at the edges.
        expect((worst - best) / (y.max - y.min)).toBeGreaterThan(0.5);
        const beyond = lost.map((each) => each.y.filter((v) => v > y.max).length).filter((n) => n > 0);
        const many = beyond.reduce((sum, n) => sum + n, 0);
        expect(words(all, y)[0]).toContain(
          `${many} values of ${bad} line${bad > 1 ? 's' : ''} above the frame, up to `,
        );
      }
    });
  });
});

describe('runs that are known to have diverged', () => {
  const [good, lost] = [
    [5, 4, 3, 2],
    [5, 9, 14, 12],
  ];
  it('have no say, however little they went astray', () => {
    const lines = [line(good), line(lost, { sound: [] })];
    expect(frame(lines).max).toBeLessThan(6.5);
    expect(words(lines, frame(lines))).toEqual(['3 values of 1 line above the frame, up to 14']);
    // As anyone's would be shown, and as these are when nothing is to be left out.
    expect(frame([line(good), line(lost)]).max).toBeGreaterThan(14);
    expect(frame(lines, { clip: false }).max).toBeGreaterThan(14);
  });
  it('are framed by themselves where there are no others', () => {
    expect(frame([line(lost, { sound: [] })]).max).toBeGreaterThan(14);
  });
  it('leave the frame to the other seeds of their setting', () => {
    const { mean, low, high, n } = aggregate([curveOf(good), curveOf([5, 9, 14])], 'sd');
    // Means of 5, 6.5, 8.5, and then of the other seed alone.
    const mixed = line([...mean], { low, high, n, runs: 2, sound: [line(good)] });
    expect(frame([mixed])).toMatchObject({
      min: expect.closeTo(2 - 0.04 * 4.05, 9),
      max: expect.closeTo(6.05 + 0.04 * 4.05, 9),
    });
  });
  it('show what they had that was better', () => {
    expect(frame([line(good), line([5, 1.5, 80, 1e4], { sound: [] })]).min).toBeLessThan(1.5);
  });
});

describe('a frame holds everything', () => {
  it('of one run that goes its usual way, from a steep start to a plateau', () => {
    const plateau = [...healthy(seeded(1), 2, 30), ...Array.from({ length: 2000 }, (_, i) => 2 + 0.02 * Math.sin(i))];
    const y = frame([line(plateau)]);
    expect([y.min < 1.99, y.max > 4.27]).toEqual([true, true]);
    expect(words([line(plateau)], y)).toEqual([]);
  });
  it('of one that is much better than all others (would catch a best run that is cut off)', () => {
    const lines = [...Array.from({ length: 40 }, () => line([5, 2.31, 2.3, 2.3])), line([5, 1.2, 0.96, 0.95])];
    expect(frame(lines).min).toBeLessThan(0.95);
    const rewards = lines.map(({ y }) => line([...y].map((v) => -v)));
    expect(frame(rewards, { outlying: 'below' }).max).toBeGreaterThan(-0.95);
  });
  it('of noise: four standard deviations are no outliers', () => {
    const { normal } = seeded(7);
    for (let round = 0; round < 20; round++) {
      const noisy = line(Array.from({ length: 500 }, () => 2 + 0.1 * normal()));
      expect(words([noisy], frame([noisy]))).toEqual([]);
    }
  });
  it('of what is counted, where no side is known to be wrong', () => {
    const memory = [line([126e6, 127e6]), line([126e6, 126e6]), line([20e9, 20e9])];
    expect(frame(memory, { outlying: undefined }).max).toBeGreaterThan(20e9);
    expect(frame(memory, { outlying: 'far' }).max).toBeGreaterThan(20e9);
    expect(frame([...memory, line([1e30, 1e30])], { outlying: 'far' }).max).toBeLessThan(1e11);
  });
  it('when nothing is to be clipped, to the largest number', () => {
    const y = frame([line([3, 1.79e308])], { clip: false });
    expect(y.max).toBeGreaterThan(7e307);
    expect(Number.isFinite(y.max - y.min)).toBe(true);
  });
  it('of a single point, and of nothing', () => {
    expect(frame([line([3])])).toMatchObject({ min: 2.7, max: 3.3 });
    expect(frame([])).toMatchObject({ min: 0, max: 1.04 });
    expect(frame([line([Number.NaN, Infinity])])).toMatchObject({ min: 0, max: 1.04 });
  });
});

describe('on a logarithmic axis', () => {
  it('a run that diverged to 1e30 flattens nobody either', () => {
    const perplexity = [line([260, 16, 12, 10]), line([260, 15, 11, 9]), line([260, 1e9, 1e20, 1e30])];
    const y = frame(perplexity, { log: true });
    expect([y.min > 5 && y.min < 9, y.max > 260 && y.max < 1e5]).toEqual([true, true]);
    expect(words(perplexity, y)).toEqual(['3 values of 1 line above the frame, up to 1e30']);
  });
});

describe('a window of x', () => {
  it('is framed by what is seen in it, to its edges (would catch a line that leaves the frame between two points)', () => {
    const steep = line([10, 0, 10]);
    const y = yAxisOf([steep], { min: 2.5, max: 6 }, { ...loss, clip: false });
    // 5 at 2.5, 0 at 5, 2 at 6.
    expect([y.min, y.max]).toEqual([0, expect.closeTo(5.2, 9)]);
  });
  it('counts what lies outside of the frame there, and no more', () => {
    const y: AxisModel = { label: '', log: false, min: 0, max: 5 };
    const x: AxisModel = { label: 'step', log: false, min: 4, max: 11 };
    expect(framingNotes([line([99, 7, Number.NaN, 99])], x, y)).toEqual([
      '1 value above the frame, up to 7',
      '1 value that is not finite is a gap',
    ]);
  });
});

describe('bands', () => {
  it('widen the frame by no more than a third when values are left out (would catch the band of a group with one diverged seed)', () => {
    const y = [4, 3, 2, 1e9];
    const wild = line(y, {
      n: Uint32Array.of(3, 3, 3, 3),
      low: Float64Array.from(y, () => -1e12),
      high: Float64Array.from(y, () => 1e12),
    });
    const { min, max } = frame([wild, line([4, 3, 2, 2]), line([4, 3, 2, 2])]);
    expect([min > 0, max < 6]).toEqual([true, true]);
  });
  it('do not take what is never negative below zero when values are left out', () => {
    const y = [1.2, 0.4, 0.2, 1e9];
    const wild = line(y, {
      n: Uint32Array.of(3, 3, 3, 3),
      low: Float64Array.from(y, (v) => v - 9),
      high: Float64Array.from(y),
    });
    const others = [line([1.2, 0.5, 0.2, 0.1]), line([1.2, 0.4, 0.2, 0.1])];
    expect(frame([wild, ...others]).min).toBe(0);
    expect(frame([wild, ...others, line([1, 0.5, 0, -0.1])]).min).toBeLessThan(-0.1);
  });
});

describe('in a zoom', () => {
  const window = (min: number, max: number): AxisModel => ({ label: 'step', log: false, min, max });
  const y: AxisModel = { label: 'val/loss', log: false, min: 2, max: 5 };
  const notes = (lines: readonly DrawnLine[], x: AxisModel, at = y): string[] =>
    framingNotes(lines, x, at).map((note) => note.replaceAll('\u00A0', ' '));

  it('lines that lie beyond the frame are said where none of their points is in the window', () => {
    // Points at 0, 5, 10: between 5 and 10 the first one is far above.
    const lines = [line([3, 1e308, 1e308]), line([3, 2.5, 2.4])];
    expect(notes(lines, window(6, 9))).toEqual(['1 line leaves the frame between points']);
    expect(notes(lines, window(5, 9))).toEqual(['1 value of 1 line above the frame, up to 1e308']);
    expect(notes(lines, window(0, 4))).toEqual(['1 line leaves the frame between points']);
    expect(notes([lines[1]], window(6, 9))).toEqual([]);
    expect(notes([line([3, 1, 1]), line([1, 1, 3])], window(6, 9))).toEqual(['2 lines leave the frame between points']);
  });

  it('bands and single values behind reduced points are said where they reach beyond the frame', () => {
    const high = Float64Array.of(3, 9, 3);
    const low = Float64Array.of(3, 2.5, 2.4);
    const band = line([3, 2.5, 2.4], { low, high, n: Uint32Array.of(2, 2, 2), runs: 2 });
    const reduced = line([3, 2.5, 2.4], { low, high, reduced: true });
    expect(notes([band], window(0, 10))).toEqual(['1 band reaches beyond the frame']);
    expect(notes([reduced], window(4, 6))).toEqual([
      'single values of 1 line beyond the frame, between points that are drawn',
    ]);
    expect(notes([band, reduced], window(8, 10))).toEqual([]);
    // The lower end of a band that is not positive is drawn to the edge of a logarithmic frame.
    const wide = line([3, 2.5, 2.4], { low: Float64Array.of(-1, -1, -1), high: low, n: Uint32Array.of(2, 2, 2) });
    expect(notes([wide], window(0, 10), { ...y, log: true })).toEqual([]);
  });
});
