/** The known entropy of a text: no model can do better on it. */
import { formatMean } from '../format.ts';
import type { SweepRun } from './samples.ts';

/**
 * The floor that all of these runs have in common for a metric: bits per byte, or nats per token of their tokens. Undefined where it is not
 * known or where two differ. Runs that have not begun say nothing.
 */
export function commonFloor(
  runs: readonly Pick<SweepRun, 'environment' | 'summary'>[],
  metric: string,
): number | undefined {
  const begun = runs.filter(({ environment }) => environment?.validationTokens !== undefined);
  const floors = new Set(begun.map((run) => floorOf(run, metric)));
  const [floor] = floors;
  return floors.size === 1 ? floor : undefined;
}

/** In bits per byte, with its standard error where that is known: it is an average, so a model may do better on some of the text. */
export const floorWords = (floor: number, error: unknown): string =>
  `${formatMean(floor, typeof error === 'number' ? error : Number.NaN)} bits/byte: no model does better on average`;

/** The standard error that all of these runs have recorded for their floor; undefined where there is none or two differ. */
export function commonFloorError(runs: readonly Pick<SweepRun, 'environment'>[]): unknown {
  const errors = new Set(runs.flatMap(({ environment }) => environment?.entropyFloorError ?? []));
  return errors.size === 1 ? [...errors][0] : undefined;
}

function floorOf(
  { environment = {}, summary }: Pick<SweepRun, 'environment' | 'summary'>,
  metric: string,
): number | undefined {
  const { entropyFloor: floor, scoredBytes, scoredTokens, validationBytes, validationTokens } = environment;
  const coverage = summary['val/coverage'];
  // Earlier versions recorded the floor of the whole text beside the score of a part of it.
  const ofPart = scoredTokens === undefined && typeof coverage === 'number' && coverage < 1;
  if (typeof floor !== 'number' || ofPart) return undefined;
  if (metric === 'val/bpb') return floor;
  const [bytes, tokens] = [scoredBytes ?? validationBytes, scoredTokens ?? validationTokens];
  if (metric !== 'val/loss' || typeof bytes !== 'number' || typeof tokens !== 'number') return undefined;
  return (floor * Math.LN2 * bytes) / tokens;
}
