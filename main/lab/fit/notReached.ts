/**
 * What a run never comes to because it ends before: larger batches, and the peak of its learning rate. Where it ends in steps or tokens, the
 * rules of the settings say so; here it ends with its text, as far as that is known.
 */
import type { PlannedLength } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { counted, formatInteger } from '../../../preload/shared/format.ts';
import { batchPlan } from '../../engine/batch/plan.ts';
import { bytesPerTokenOf } from '../../engine/data/tokenizers/index.ts';
import { BUILT_IN } from '../../engine/kind.ts';
import type { Kinds } from '../../engine/kind.ts';
import { estimateDataset, lengthOfText } from './budget.ts';

const on =
  (config: Config) =>
  (name: string): boolean =>
    (config[name] as number) > 0;

/** By how much more the text may hold than is known of it: a usual number of bytes per token can be half of the true one. */
function atMost(config: Config, { uncertain = 0 }: PlannedLength, kinds: Kinds): number {
  if (estimateDataset(config, kinds)?.exact === true) return 1;
  if (uncertain > 0) return 1 + uncertain;
  return bytesPerTokenOf(config, kinds) === 1 ? 1.05 : 2;
}

/** @param length that is planned */
export function notReached(config: Config, length: PlannedLength, kinds: Kinds = BUILT_IN): string[] {
  const { steps, tokens, varies } = length;
  if (steps === null || ['stop.steps', 'stop.tokens'].some(on(config))) return [];
  const most = length.estimated ? atMost(config, length, kinds) : 1;
  const latest = ['stop.seconds', 'stop.loss'].some(on(config)) ? ' at the latest' : '';
  const ends = `the run ends after ${most === 1 ? '' : 'about '}${counted(steps, 'step')}${latest}`;
  const next = varies
    ? undefined
    : batchPlan(config, kinds)
        .stages()
        .find(({ from }) => from.step >= most * steps);
  const late = (
    [
      ['schedule.warmup_steps', steps],
      ['schedule.warmup_tokens', tokens ?? Infinity],
    ] as const
  ).find(([name, end]) => (config[name] as number) > most * end);
  return [
    ...(next === undefined
      ? []
      : [
          `${ends} and never has batches of ${formatInteger(next.sequences)} × ${counted(next.length, 'token')}, which begin at step ` +
            `${formatInteger(next.from.step)}; what helps is growth that is over sooner (batch.length, batch.kind), or a later stop`,
        ]),
    ...(late === undefined
      ? []
      : [
          `${ends} and never reaches its learning rate: ${late[0]} is ${formatInteger(config[late[0]] as number)}; what helps is a shorter ` +
            'warm-up, or a later stop',
        ]),
  ];
}

/** The same where nobody has planned the run: only limits that count no parameters and operations of its model can be told. */
export function notReachedUnplanned(config: Config, kinds: Kinds = BUILT_IN): string[] {
  if (['stop.tokens_per_parameter', 'stop.flops'].some(on(config))) return [];
  return notReached(config, lengthOfText(config, kinds), kinds);
}
