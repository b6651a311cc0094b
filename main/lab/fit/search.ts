/** Largest micro-batch that fits, by planning candidates: exact, since every answer was planned. */
import type { LargestBatch, SizedBatch } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { fixedBatch } from '../../engine/batch/fixedBatch.ts';
import { batchPlan } from '../../engine/batch/plan.ts';
import type { Kinds } from '../../engine/kind.ts';
import { divisors } from '../../../preload/shared/settings/arithmetic.ts';
import type { FitDevice } from './devices.ts';
import { fitPlan } from './plan.ts';
import type { PlanOptions } from './plan.ts';
import { judge } from './verdict.ts';

/** `margin`: only what fits with the margin counts; else everything that is not "does not fit". */
export type Strictness = 'margin' | 'exact';

const accepts = (device: FitDevice, bytes: number, strictness: Strictness): boolean => {
  const fit = judge(device.kind, bytes, device.availableBytes);
  return fit === 'fits' || (strictness === 'exact' && fit === 'tight');
};

/** Into which micro-batches the batches of a run can be divided. */
export interface MicroChoices {
  /** Sequences at once, ascending; the last is all of them. */
  readonly counts: readonly number[];
  /** The settings for one of them. */
  with(count: number): Config;
}

/**
 * Divisors of a batch that always has so many sequences, so that every micro-batch is full. Where their number changes, a limit in tokens: as
 * many as so many sequences of the whole context have, in powers of two.
 */
export function microChoices(config: Config, kinds?: Kinds): MicroChoices {
  const plan = batchPlan(config, kinds);
  const shapes = plan.shapes();
  const [first] = shapes;
  const settings = (micro: number, tokens: number): Config => ({
    ...config,
    'batch.micro': micro,
    'batch.micro_tokens': tokens,
  });
  if (shapes.every(({ sequences }) => sequences === first!.sequences)) {
    const { sequences } = first!;
    return { counts: divisors(sequences), with: (count) => settings(count === sequences ? 0 : count, 0) };
  }
  const whole = Math.ceil(Math.max(...shapes.map(({ length, sequences }) => length * sequences)) / plan.context);
  const counts = [...Array.from({ length: Math.ceil(Math.log2(whole)) }, (_, i) => 2 ** i), whole];
  return { counts, with: (count) => settings(0, count === whole ? 0 : count * plan.context) };
}

/** The largest micro-batch at which the plan fits. More sequences at once never need less memory. */
export function largestMicroBatch(
  config: Config,
  device: FitDevice,
  options: PlanOptions,
  strictness: Strictness = 'margin',
): LargestBatch {
  const micro = microChoices(config, options.catalog);
  const choices = micro.counts;
  const bytes = (i: number): number => fitPlan(micro.with(choices[i]!), options).totalBytes;
  let low = -1;
  let high = choices.length;
  const seen = new Map<number, number>();
  while (high - low > 1) {
    // The whole batch first: where it fits there is nothing to search.
    const middle = high === choices.length && low === -1 ? choices.length - 1 : (low + high) >> 1;
    const needed = bytes(middle);
    seen.set(middle, needed);
    if (accepts(device, needed, strictness)) low = middle;
    else high = middle;
  }
  const at = (i: number): SizedBatch | null => (seen.has(i) ? { sequences: choices[i]!, bytes: seen.get(i)! } : null);
  return { largest: at(low), next: at(high) };
}

/** No setting allows more. */
const MOST = 2 ** 20;

interface Point {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * The largest micro-batch that fits at any effective batch (without accumulation). Bytes grow nearly in proportion to the batch, so
 * each guess is where the line through the ends of the range meets the limit, and every third one halves the range.
 */
export function largestOverall(
  config: Config,
  device: FitDevice,
  options: PlanOptions,
  strictness: Strictness = 'margin',
): LargestBatch {
  const whole = fixedBatch(config, options.catalog);
  const plan = (rows: number): Point => ({
    rows,
    bytes: fitPlan({ ...whole, 'batch.sequences': rows, 'batch.micro': 0, 'eval.batch': 0 }, options).totalBytes,
  });
  const limit = strictness === 'exact' ? device.availableBytes : largestWithMargin(device);
  let low = plan(1);
  if (!accepts(device, low.bytes, strictness)) return { largest: null, next: sized(low) };
  let high = plan(2);
  let round = 0;
  while (accepts(device, high.bytes, strictness)) {
    if (high.rows === MOST) return { largest: sized(high), next: null };
    const guess = meets(low, high, limit);
    low = high;
    // A little beyond the line, so that the range closes on both sides.
    high = plan(Math.min(MOST, Math.max(2 * high.rows, Number.isFinite(guess) ? Math.ceil(guess) + 1 : 0)));
  }
  while (high.rows - low.rows > 1) {
    const guess = ++round % 3 === 0 ? (low.rows + high.rows) >> 1 : Math.floor(meets(low, high, limit));
    const point = plan(Math.min(high.rows - 1, Math.max(low.rows + 1, guess)));
    if (accepts(device, point.bytes, strictness)) low = point;
    else high = point;
  }
  return { largest: sized(low), next: sized(high) };
}

const sized = ({ rows, bytes }: Point): SizedBatch => ({ sequences: rows, bytes });

/** Where the line through two points meets `limit`; infinite when it never does. */
function meets(a: Point, b: Point, limit: number): number {
  const slope = (b.bytes - a.bytes) / (b.rows - a.rows);
  return slope > 0 ? a.rows + (limit - a.bytes) / slope : Infinity;
}

/** The most bytes that fit with their margin, by bisection: the margin is a share of them, or a constant. */
function largestWithMargin({ kind, availableBytes }: FitDevice): number {
  let low = 0;
  let high = availableBytes;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (judge(kind, middle, availableBytes) === 'fits') low = middle;
    else high = middle;
  }
  return low;
}
