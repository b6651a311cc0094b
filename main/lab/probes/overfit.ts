/**
 * Whether a model can learn one batch by heart: the quickest test of a model, an optimizer and a rate together. What cannot be learned is
 * known exactly: rows that begin alike and go on differently have an entropy that no model gets below.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { formatCount, formatInteger } from '../../../preload/shared/format.ts';
import { meanOf } from '../../../preload/shared/statistics/describe.ts';
import type { Batch } from '../../engine/data/index.ts';
import { microBatches, probe } from '../../engine/train/probe.ts';
import { prepareProbe } from './prepare.ts';
import type { ProbeRequest } from './prepare.ts';
import { MORE_STEPS } from './reader.ts';
import type { Reader } from './reader.ts';

/** Nats per token above the floor at which a batch counts as learned. */
export const LEARNED = 0.05;

/** Steps. */
const FEW = 50;

/** What would keep a batch from being learned on purpose. */
const REGULARISERS = ['model.dropout', 'optimizer.weight_decay'];

export interface Overfit {
  /** Of each step, before its update. */
  readonly losses: readonly number[];
  /** Least loss that the batch allows, nats per token. */
  readonly floor: number;
  readonly tokens: number;
  readonly parameters: number;
  /** Updates after which the loss was within {@link LEARNED} of the floor. */
  readonly learnedAfter: number | undefined;
  /** Settings that were taken as 0. */
  readonly without: readonly string[];
  /** Why it was not learned, and what to do; undefined where it was. */
  readonly hindered: string | undefined;
  /** It was not learned, but more steps may be all that it needs. */
  readonly unfinished: boolean;
}

/**
 * Mean nats per scored token that remain where each next token is predicted as often as it follows the very same beginning of a row.
 * Borders of documents are not looked at: with them in a row the true floor is higher, never lower.
 */
export function floorOf(batches: readonly Batch[]): number {
  const rows = batches.flatMap(({ rows: count, length, inputs, targets }) =>
    Array.from({ length: count }, (_, i) => ({
      inputs: inputs.subarray(i * length, (i + 1) * length),
      targets: targets.subarray(i * length, (i + 1) * length),
    })),
  );
  let [nats, scored] = [0, 0];
  let alike = [rows];
  for (let at = 0; at < (rows[0]?.inputs.length ?? 0); at++) {
    alike = alike.flatMap((group) => [...Map.groupBy(group, ({ inputs }) => inputs[at]!).values()]);
    for (const group of alike) {
      const next = Map.groupBy(
        group.filter(({ targets }) => targets[at]! >= 0),
        ({ targets }) => targets[at]!,
      );
      const all = [...next.values()].reduce((sum, each) => sum + each.length, 0);
      for (const { length } of next.values()) nats -= length * Math.log(length / all);
      scored += all;
    }
  }
  return scored === 0 ? 0 : nats / scored;
}

/** In words, with what to try, and whether more steps may help too. */
function hindrance(
  found: Pick<Overfit, 'losses' | 'floor' | 'tokens' | 'parameters'>,
  rate: number,
): Pick<Overfit, 'hindered' | 'unfinished'> {
  const because = (hindered: string, unfinished = false) => ({ hindered, unfinished });
  const { losses, floor, tokens, parameters } = found;
  const diverged = losses.findIndex((loss) => !Number.isFinite(loss));
  if (diverged >= 0)
    return because(
      `the loss is ${losses[diverged]} at step ${diverged + 1}: lower optimizer.lr (${rate}), or set optimizer.clip`,
    );
  const tenth = Math.max(1, Math.floor(losses.length / 10));
  const [before, last] = [meanOf(losses.slice(-2 * tenth, -tenth)), meanOf(losses.slice(-tenth))];
  const [first, left] = [losses[0]!, last - floor];
  if (last > first)
    return because(`the loss rose from ${first.toFixed(3)} to ${last.toFixed(3)}: lower optimizer.lr (${rate})`);
  // A few steps say nothing about where a loss will stay.
  if (before - last > 0.02 * left || (losses.length < FEW && last < first))
    return first - last < 0.1 * (first - floor)
      ? because(`the loss falls, but slowly: raise optimizer.lr (${rate})`, true)
      : because('the loss still falls', true);
  if (parameters < tokens)
    return because(
      `the loss stays at ${last.toFixed(3)}: ${parameters} parameters are few for ${tokens} tokens; take a larger model or fewer batch.sequences`,
    );
  return because(
    `the loss stays at ${last.toFixed(3)}: try another optimizer.lr (${rate}); if none helps, the model cannot see what it needs`,
  );
}

/** Undefined when it was ended. @throws DataError, ExecutorUnavailableError, OutOfMemoryError */
export async function checkOverfit(request: ProbeRequest): Promise<Overfit | undefined> {
  const { kinds, steps } = request;
  const without = REGULARISERS.filter((name) => ((request.config[name] as number | undefined) ?? 0) > 0);
  const config: Config = { ...request.config, ...Object.fromEntries(without.map((name) => [name, 0])) };
  const { data, executor } = await prepareProbe(request);
  const batches = microBatches(config, data, 0);
  const floor = floorOf(batches);
  const tokens = batches.reduce((sum, { scored }) => sum + scored, 0);
  const rate = config['optimizer.lr'] as number;
  const losses: number[] = [];
  let learnedAfter: number | undefined;
  let ended = false;
  const { parameters } = await probe({
    config,
    kinds,
    data,
    executor,
    // The loss after the last update is that of one more step.
    steps: steps + 1,
    batch: () => 0,
    rate: () => rate,
    onStep: (step, { loss }) => {
      losses.push(loss);
      if (loss < floor + LEARNED) learnedAfter = step;
      ended = !(
        request.onProgress?.(
          `step ${formatInteger(step)} of ${formatInteger(steps)}, loss ${loss.toFixed(3)}`,
          step / steps,
        ) ?? true
      );
      return !ended && learnedAfter === undefined && Number.isFinite(loss);
    },
  });
  if (ended) return undefined;
  const found = { losses, floor, tokens, parameters };
  const why = learnedAfter === undefined ? hindrance(found, rate) : { hindered: undefined, unfinished: false };
  return { ...found, learnedAfter, without, ...why };
}

/** For people. */
export function overfitWords(found: Overfit, reader: Reader): string[] {
  const { losses, floor, tokens, parameters, learnedAfter, without, hindered, unfinished } = found;
  return [
    `One batch of ${formatCount(tokens)} tokens, ${formatCount(parameters)} parameters.`,
    ...(without.length > 0 ? [`Taken as 0: ${without.join(', ')}.`] : []),
    floor > 0
      ? `Rows that begin alike and go on differently leave ${floor.toFixed(4)} nats per token that no model can learn.`
      : 'No row begins like another: a loss of 0 is possible.',
    hindered === undefined
      ? `Learned: loss ${losses.at(-1)!.toFixed(4)} after ${formatInteger(learnedAfter ?? 0)} updates, less than ${LEARNED} above that.`
      : `Not learned in ${formatInteger(losses.length - 1)} updates: ${hindered}${unfinished ? `; it may need ${MORE_STEPS[reader]}` : ''}.`,
  ];
}
