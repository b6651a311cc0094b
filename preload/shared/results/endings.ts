/** Why runs failed, in one line for all of them: each reason with how many it ended, never one that stands for the others. */
import type { RunRecord } from '../../contract/runs.ts';
import { formatInteger, plural } from '../format.ts';

type Ended = Pick<RunRecord, 'endReason'>;

/** Whether a run ended because its numbers grew beyond all bounds: what it logged before says little of its setting. */
export const hasDiverged = ({ state, endReason }: Pick<RunRecord, 'state' | 'endReason'>): boolean =>
  state === 'failed' && endReason?.startsWith('diverged') === true;

/** Reasons named in one line; of more it says how many runs they ended. */
const MOST_NAMED = 4;
const LONGEST = 100;
const NO_REASON = 'no reason recorded';

/** What an ending is called without its numbers, which differ from run to run. */
function kindOf(reason: string): string {
  if (/\bout of memory\b/u.test(reason)) return 'out of memory';
  const [head] = /^[^:;]+/u.exec(reason) ?? [reason];
  const kind = head.replaceAll(/ at step \d+/gu, '').trim();
  return kind.length > LONGEST ? `${kind.slice(0, LONGEST)}…` : kind;
}

/** ` at step 40`, ` at steps 40–44`; empty where a reason names none. */
function stepsOf(reasons: readonly string[]): string {
  const steps = reasons.map((reason) => / at step (\d+)/u.exec(reason)?.[1]);
  if (steps.includes(undefined)) return '';
  const numbers = steps.map(Number);
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  return first === last
    ? ` at step ${formatInteger(first)}`
    : ` at steps ${formatInteger(first)}–${formatInteger(last)}`;
}

/**
 * `1 run failed: diverged: train/loss is NaN at step 12`, `3 runs failed: 2 out of memory, 1 diverged at step 40`: the most frequent first.
 * One reason that all share stands there whole.
 *
 * @param runs those that failed; at least one
 */
export function failureWords(runs: readonly Ended[]): string {
  const reasons = runs.map(({ endReason }) => endReason ?? NO_REASON);
  const failed = `${plural(runs.length, 'run')} failed`;
  if (new Set(reasons).size === 1) return `${failed}: ${reasons[0]}`;
  const kinds = [...Map.groupBy(reasons, kindOf)].sort(([, a], [, b]) => b.length - a.length);
  const named = kinds.slice(0, kinds.length > MOST_NAMED ? MOST_NAMED - 1 : MOST_NAMED);
  const rest = kinds.slice(named.length).reduce((sum, [, list]) => sum + list.length, 0);
  const words = named.map(([kind, list]) => `${formatInteger(list.length)} ${kind}${stepsOf(list)}`);
  if (rest > 0) words.push(`${formatInteger(rest)} for other reasons`);
  return `${failed}: ${words.join(', ')}`;
}
