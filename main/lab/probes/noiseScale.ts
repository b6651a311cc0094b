/**
 * The critical batch of a model and its data: the gradient noise scale (McCandlish et al. 2018), measured in a short training from the gradients of
 * a part of each batch and of all of it. Below it a larger batch learns nearly as much more; far beyond it nothing is gained.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { seededRandom } from '../../../preload/charts/stats/random.ts';
import { counted, formatInteger } from '../../../preload/shared/format.ts';
import { quantileSorted } from '../../../preload/shared/statistics/describe.ts';
import { fixedBatch } from '../../engine/batch/fixedBatch.ts';
import { microBatchOf } from '../../engine/nn/programs.ts';
import { noiseOf, noiseScale } from '../../engine/train/noise.ts';
import type { Noise } from '../../engine/train/noise.ts';
import { probe } from '../../engine/train/probe.ts';
import { prepareProbe } from './prepare.ts';
import type { ProbeRequest } from './prepare.ts';
import { MORE_STEPS } from './reader.ts';
import type { Reader } from './reader.ts';

export interface NoisePoint extends Noise {
  /** From 1. */
  readonly step: number;
  readonly loss: number;
}

export interface NoiseCheck {
  readonly points: readonly NoisePoint[];
  /** Steps at the end over which the noise is averaged: it grows while the loss falls. */
  readonly over: number;
  /** In tokens, with its 95 % interval; undefined where the noise hides the gradient, or the other way round. */
  readonly scale: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** Of the configuration. */
  readonly batchTokens: number;
  readonly sequenceTokens: number;
}

/** What there is to say of too few sequences. */
export class NoiseError extends Error {
  override readonly name = 'NoiseError';
}

const RESAMPLES = 2000;

const meanNoise = (points: readonly Noise[]): Noise => ({
  trace: points.reduce((sum, { trace }) => sum + trace, 0) / points.length,
  squared: points.reduce((sum, { squared }) => sum + squared, 0) / points.length,
});

/** The scale over these steps and its interval by resampling them; without an interval where too many resamples say nothing. */
export function estimate(points: readonly Noise[]): Pick<NoiseCheck, 'scale' | 'low' | 'high'> {
  const scale = noiseScale(meanNoise(points));
  const random = seededRandom(points.length);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    noiseScale(meanNoise(points.map(() => points[Math.floor(random() * points.length)]!))),
  );
  // A gradient that cannot be told from none is an infinite scale: its resamples are the highest.
  const sorted = drawn.map((each) => each ?? Infinity).sort((a, b) => a - b);
  if (scale === undefined) return { scale, low: undefined, high: undefined };
  const high = quantileSorted(sorted, 0.975);
  return { scale, low: quantileSorted(sorted, 0.025), high: Number.isFinite(high) ? high : undefined };
}

/** Steps before which an estimate is chance. */
const FEW = 10;

/** The second half, of which the scale is told: it grows while the loss falls. */
const latest = <T>(points: readonly T[]): readonly T[] => points.slice(Math.floor(points.length / 2));

/** What would have been told after each step. */
export const runningScale = (points: readonly Noise[]): (number | undefined)[] =>
  points.map((_, i) => (i + 1 < FEW ? undefined : noiseScale(meanNoise(latest(points.slice(0, i + 1))))));

/** In parts, as the measurement needs them: those of the configuration, or halves. @throws NoiseError */
export function inParts(config: Config): Config {
  const sequences = config['batch.sequences'] as number;
  if (sequences < 2)
    throw new NoiseError(
      `batch.sequences is ${sequences}: the noise is seen between a part of a batch and all of it; allowed: 2 and above; nearest: 2`,
    );
  const micro = microBatchOf(config);
  const smallest = [...Array(sequences - 1).keys()].map((i) => i + 2).find((parts) => sequences % parts === 0)!;
  return { ...config, 'batch.micro': micro < sequences ? micro : sequences / smallest, 'log.diagnostics': 'noise' };
}

/** Undefined when it was ended. @throws NoiseError, DataError, ExecutorUnavailableError, OutOfMemoryError */
export async function checkNoise(request: ProbeRequest): Promise<NoiseCheck | undefined> {
  const { kinds, steps } = request;
  const config = inParts(fixedBatch(request.config, kinds));
  const { data, executor } = await prepareProbe({ ...request, config });
  const points: NoisePoint[] = [];
  let ended = false;
  const rate = config['optimizer.lr'] as number;
  await probe({
    config,
    kinds,
    data,
    executor,
    steps,
    watch: true,
    batch: (step) => step,
    rate: () => rate,
    onStep: (step, { loss, watched }) => {
      if (watched?.first !== undefined && watched.first.tokens < watched.all.tokens)
        points.push({ step: step + 1, loss, ...noiseOf(watched.first, watched.all) });
      ended = !(
        request.onProgress?.(
          `step ${formatInteger(step + 1)} of ${formatInteger(steps)}, loss ${loss.toFixed(3)}`,
          (step + 1) / steps,
        ) ?? true
      );
      return !ended && Number.isFinite(loss);
    },
  });
  if (ended) return undefined;
  const last = latest(points);
  const sequenceTokens = data.tokensPerRow;
  return {
    points,
    over: last.length,
    ...(last.length === 0 ? { scale: undefined, low: undefined, high: undefined } : estimate(last)),
    batchTokens: sequenceTokens * (config['batch.sequences'] as number),
    sequenceTokens,
  };
}

/** For people. */
export function noiseWords(found: NoiseCheck, reader: Reader): string[] {
  const { scale, low, high, over, batchTokens, sequenceTokens } = found;
  const sized = (tokens: number): string =>
    `${counted(Math.round(tokens), 'token')} (${counted(Math.max(1, Math.round(tokens / sequenceTokens)), 'sequence')})`;
  if (scale === undefined)
    return [
      `The last ${over} steps do not tell: the noise of the gradient hides it. It needs ${MORE_STEPS[reader]}, or a larger batch.sequences.`,
    ];
  const interval =
    high === undefined
      ? `at least ${sized(low!)}, with no upper bound from so few steps`
      : `95 % interval ${sized(low!)} to ${sized(high)}`;
  const times = batchTokens / scale;
  const advice =
    high === undefined
      ? `A bound needs ${MORE_STEPS[reader]}.`
      : times > 3
        ? 'Batches this much larger than the scale cost tokens and gain little: a smaller batch.sequences learns more from the same text.'
        : times < 1 / 3
          ? 'A larger batch (with a larger rate) learns nearly in proportion: it costs few tokens more and takes fewer steps.'
          : 'The batch is about where another token per step gains about half of what it did: a fair compromise.';
  return [
    `Critical batch: about ${sized(scale)}; ${interval}.`,
    `The batch of this configuration has ${sized(batchTokens)}, ${times.toPrecision(2)} times as many. ${advice}`,
    `Averaged over the last ${over} steps. The scale grows while the loss falls: look again later in training.`,
  ];
}
