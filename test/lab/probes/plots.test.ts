import { expect, test } from 'vitest';
import { frontierPlot, noisePlot, overfitPlot, ratePlot } from '../../../main/lab/probes/plots.ts';
import { estimate } from '../../../main/lab/probes/noiseScale.ts';
import { THEMES } from '../../../preload/charts/draw/themes.ts';
import { checkOption } from '../../../preload/charts/plots/checkOption.ts';
import type { CheckPlot } from '../../../preload/contract/shapes.ts';

const optionOf = (plot: CheckPlot | null) => checkOption(plot!, { theme: THEMES.light, surface: 'light' });

test('rates are shaded where they are suggested, and what explodes does not flatten the valley', () => {
  const points = [4, 3, 2, 900, Number.NaN].map((loss, i) => ({ lr: 10 ** (i - 5), loss, smooth: loss }));
  const plot = ratePlot({ points, suggested: [1e-4, 1e-3], roseAt: 0.01 })!;
  expect(plot.lines.map(({ y }) => y.at(-1))).toEqual([null, null]);
  const [from, to] = plot.y.frame!;
  expect([from < 2, to > 4, to < 10]).toEqual([true, true, true]);
  const [{ markArea }] = optionOf(plot).series as [
    { markArea: { data: [{ coord: number[] }, { coord: number[] }][] } },
  ];
  expect(markArea.data.map((ends) => ends.map(({ coord }) => coord[0]))).toEqual([[1e-4, 1e-3]]);
});

test('the noise scale ends at its estimate, within its interval, which is open where it has no upper end', () => {
  const points = Array.from({ length: 40 }, (_, i) => ({ step: i + 1, loss: 3, trace: 100 + i, squared: 1 + (i % 3) }));
  const found = { points, over: 20, ...estimate(points.slice(20)), batchTokens: 64, sequenceTokens: 16 };
  const plot = noisePlot(found)!;
  expect(plot.lines[0]!.y.at(-1)).toBeCloseTo(found.scale!, 12);
  expect(plot.bands).toMatchObject([{ x: [21, 40], y: [found.low, found.high] }]);
  expect(noisePlot({ ...found, high: undefined })!.bands[0]!.y).toEqual([found.low, null]);
  expect(noisePlot({ ...found, scale: undefined })!.bands).toEqual([]);
});

test('a batch that was learned to the last bit, and one that diverged, leave gaps', () => {
  const found = {
    floor: 0.2,
    tokens: 9,
    parameters: 9,
    learnedAfter: 1,
    without: [],
    hindered: undefined,
    unfinished: false,
  };
  const plot = overfitPlot({ ...found, losses: [3, 1, 0, Infinity] })!;
  expect(plot.lines[0]!.y).toEqual([3, 1, null, null]);
  expect(plot.marks).toMatchObject([{ axis: 'y', at: 0.25 }]);
  // The threshold is seen although the loss did not come near it.
  const [{ min }] = optionOf(plot).yAxis as [{ min: number }];
  expect(min).toBeLessThan(0.25);
  expect(overfitPlot({ ...found, losses: [3] })).toBeNull();
});

test('pace and memory have an axis each, from zero', () => {
  const point = (micro: number) => ({ micro, plannedBytes: 2 ** 20 * micro, arenaBytes: 1, takenBytes: 1, seconds: 1 });
  const points = [1, 2, 4].map((micro) => ({ ...point(micro), tokensPerSecond: 100 * micro }));
  const option = optionOf(
    frontierPlot({ points, largest: null, next: null, enough: 4, skipped: [], stopped: undefined }),
  );
  expect(option.yAxis).toMatchObject([{ min: 0 }, { min: 0 }]);
  expect(option.series).toMatchObject([{ yAxisIndex: 0 }, { yAxisIndex: 1 }]);
});
