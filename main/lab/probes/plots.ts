/** What the checks draw of what they found: numbers, axes and words; how that looks is decided where it is shown. */
import type { CheckPlot } from '../../../preload/contract/shapes.ts';
import { formatInteger } from '../../../preload/shared/format.ts';
import { extentOf } from '../../../preload/charts/series/extent.ts';
import type { Frontier } from './frontier.ts';
import { rateFrame } from './lrRange.ts';
import type { RateRange } from './lrRange.ts';
import { runningScale } from './noiseScale.ts';
import type { NoiseCheck } from './noiseScale.ts';
import { LEARNED } from './overfit.ts';
import type { Overfit } from './overfit.ts';

const LOSS = { name: 'loss (nats per token)', unit: '' } as const;
/** What is no number is a gap. */
const drawn = (values: readonly (number | undefined)[]): (number | null)[] =>
  values.map((value) => (Number.isFinite(value) ? value! : null));
/** Nothing is drawn of nothing, nor of a single point. */
const ofLines = (plot: CheckPlot): CheckPlot | null =>
  plot.lines.some(({ y }) => y.filter((value) => value !== null).length > 1) ? plot : null;

export function ratePlot({ points, suggested }: RateRange): CheckPlot | null {
  const x = points.map(({ lr }) => lr);
  return ofLines({
    title: 'Loss against learning rate',
    x: { name: 'optimizer.lr', unit: '', log: true },
    // What rises beyond all measure at the end would leave the valley flat.
    y: { ...LOSS, log: false, frame: rateFrame(points) },
    right: null,
    lines: [
      { name: 'loss', x, y: drawn(points.map(({ loss }) => loss)), faint: true },
      { name: 'smoothed', x, y: drawn(points.map(({ smooth }) => smooth)) },
    ],
    bands: suggested === undefined ? [] : [{ name: 'suggested', x: suggested, y: null }],
    marks: [],
  });
}

export function overfitPlot({ losses, floor }: Overfit): CheckPlot | null {
  // A loss that is 0 to the last bit has no place on the axis.
  const y = drawn(losses.map((loss) => (loss > 0 ? loss : undefined)));
  return ofLines({
    title: 'Loss of one batch',
    x: { name: 'updates', unit: 'step', log: false },
    y: { ...LOSS, log: true },
    right: null,
    lines: [{ name: 'loss', x: losses.map((_, i) => i), y }],
    bands: [],
    marks: [{ name: 'learned below', axis: 'y', at: floor + LEARNED }],
  });
}

export function noisePlot({ points, over, scale, low, high, batchTokens }: NoiseCheck): CheckPlot | null {
  const last = points.slice(points.length - over);
  return ofLines({
    title: 'Critical batch over the steps',
    x: { name: 'step', unit: 'step', log: false },
    y: { name: 'critical batch (tokens)', unit: 'tokens', log: true },
    right: null,
    lines: [{ name: 'estimate', x: points.map(({ step }) => step), y: drawn(runningScale(points)) }],
    bands:
      scale === undefined || last.length < 2
        ? []
        : [
            {
              name: '95 % interval',
              x: [last[0]!.step, last.at(-1)!.step],
              // Without an upper bound it is open.
              y: [low!, high ?? null],
            },
          ],
    marks: [{ name: `this batch: ${formatInteger(batchTokens)}`, axis: 'y', at: batchTokens }],
  });
}

export function frontierPlot({ points, enough }: Frontier): CheckPlot | null {
  const x = points.map(({ micro }) => micro);
  return ofLines({
    title: 'Pace and memory over the micro-batch',
    x: { name: 'batch.micro', unit: 'at', log: true },
    y: { name: 'tokens/s', unit: '', log: false, frame: fromZero(points.map((each) => each.tokensPerSecond)) },
    right: { name: 'planned memory', unit: 'bytes', log: false, frame: fromZero(points.map((e) => e.plannedBytes)) },
    lines: [
      { name: 'tokens/s', x, y: drawn(points.map((each) => each.tokensPerSecond)), dots: true },
      { name: 'planned memory', x, y: drawn(points.map((each) => each.plannedBytes)), right: true, dots: true },
    ],
    bands: [],
    marks: enough === undefined ? [] : [{ name: 'enough', axis: 'x', at: enough }],
  });
}

/** Twice as high is twice as much. */
function fromZero(values: readonly number[]): readonly [number, number] {
  return [0, 1.08 * (extentOf([values])?.max ?? 1)];
}
