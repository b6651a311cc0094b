/**
 * The speed of a step from earlier runs, as a range. Disturbances only slow a run down, so of several runs the faster half is
 * believed, and a run far slower than that says something about its hour, not about the model.
 */
import type { Range } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { FitDevice } from './devices.ts';

/** Tokens per second of an earlier run. */
export interface Sample {
  /** Median over its steps. */
  readonly tokensPerSecond: number;
  /** Quartiles over its steps; without them the median stands for both. */
  readonly slow?: number;
  readonly fast?: number;
  readonly runId?: string;
  /** When it ended, ms since 1970. */
  readonly at?: number;
}

/** Finds runs with the same model, batch and precision on the same executor. */
export type FindSamples = (config: Config, device: FitDevice) => readonly Sample[];

export interface Pace {
  readonly tokensPerSecond: Range;
  /** For people. */
  readonly explanation: string;
}

/** A run slower than the typical one by this factor was disturbed. */
const DISTURBED = 1.5;
/** What remains uncertain by the number of runs: one may have been lucky or unlucky throughout. */
const SPREAD = [0.25, 0.15, 0.1] as const;
/** Drivers, kernels and neighbours change. */
const OLD_MS = 30 * 86_400_000;

/**
 * @param usual tokens per second that the arithmetic of the plan and the device let expect, where they are known: the range of few
 *   runs that are slower than all of it reaches up to its slow end, because they were disturbed as likely as not
 * @param now ms since 1970
 * @returns undefined without samples
 */
export function paceOf(samples: readonly Sample[], usual?: Range, now: number = Date.now()): Pace | undefined {
  const known = samples
    .filter(({ tokensPerSecond }) => tokensPerSecond > 0 && Number.isFinite(tokensPerSecond))
    .sort((a, b) => a.tokensPerSecond - b.tokensPerSecond);
  // Of an even number the upper of the two in the middle: the faster one was disturbed less.
  const typical = known[Math.floor(known.length / 2)]?.tokensPerSecond;
  if (typical === undefined) return undefined;
  const kept = known.filter(({ tokensPerSecond }) => tokensPerSecond * DISTURBED >= typical);
  const ends = kept.map(({ at }) => at).filter((at) => at !== undefined);
  const old = ends.length > 0 && now - Math.max(...ends) > OLD_MS;
  const spread = SPREAD[Math.min(kept.length, SPREAD.length) - 1]! * (old ? 2 : 1);
  const slow = Math.min(...kept.map((each) => each.slow ?? each.tokensPerSecond)) / (1 + spread);
  const fast = Math.max(...kept.map((each) => each.fast ?? each.tokensPerSecond)) * (1 + spread);
  const doubtful = kept.length < SPREAD.length && usual !== undefined && fast < usual.low;
  const left = known.length - kept.length;
  const words = [
    `${kept.length === 1 ? 'an earlier run' : `${kept.length} earlier runs`} with the same model, batch and device, by the quartiles of their steps ± ${Math.round(spread * 100)} %`,
    ...(left > 0 ? [`${left} much slower ${left === 1 ? 'run was' : 'runs were'} left out`] : []),
    ...(old ? ['more than a month old'] : []),
    ...(doubtful
      ? ['slower than this device usually is, so perhaps disturbed: the range reaches to the usual speed']
      : []),
  ];
  return { tokensPerSecond: { low: slow, high: doubtful ? usual.low : fast }, explanation: words.join('; ') };
}
