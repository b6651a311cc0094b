/** What the plan says, in few words. */
import { plural, formatInteger } from '../../../../preload/shared/format.ts';
import { showValue } from '../../../../preload/shared/settings/values.ts';
import type { SweepPlan } from '../../../stores/lab.ts';

export type DroppedCombination = SweepPlan['dropped'][number];

export interface DroppedGroup {
  /** The rule or constraint that refused them. */
  readonly why: string;
  readonly combinations: readonly DroppedCombination[];
}

/** `24 runs = 8 settings × 3 seeds` as its parts. */
export function runsSentence(
  runs: number,
  settings: number,
  seeds: number,
): { readonly total: string; readonly how: string } {
  const total = plural(runs, 'run');
  if (runs === 0) return { total, how: '' };
  if (settings === 1 && seeds === 1) return { total, how: 'one setting, one seed' };
  return { total, how: `${plural(settings, 'setting')} × ${plural(seeds, 'seed')}` };
}

/** The numbers of one combination: `130 % 4 = 2`, or the value that is refused. */
export const numbersOf = ({ problem: { numbers, value } }: DroppedCombination): string => numbers ?? showValue(value);

/** What refused combinations: the rule where it has a name, else what is allowed, without the numbers that differ. */
function ruleOf(combinations: readonly DroppedCombination[]): string {
  const [{ problem: first }] = combinations;
  if (first.rule !== undefined) return first.rule;
  const same = combinations.every(({ problem }) => problem.allowed === first.allowed);
  return `${first.setting}: ${same ? first.allowed : first.allowed.replaceAll(/\d[\d,.]*/gu, '…')}`;
}

/** Dropped combinations by what refused them, the most frequent first. */
export function groupDropped(dropped: readonly DroppedCombination[]): DroppedGroup[] {
  const keyOf = ({ problem: { code, setting, rule = '' } }: DroppedCombination): string =>
    [code, setting, rule].join(' ');
  return [...Map.groupBy(dropped, keyOf).values()]
    .map((combinations) => ({ why: ruleOf(combinations), combinations }))
    .sort((a, b) => b.combinations.length - a.combinations.length);
}

export interface LaunchState {
  readonly online: boolean;
  /** There is YAML that says something else, and cannot be read. */
  readonly unread: boolean;
  /** A plan for exactly this draft is here. */
  readonly current: boolean;
  readonly failed: string | null;
  readonly problems: readonly { readonly message: string }[];
  /** Why there is no device to train on. */
  readonly deviceProblem: string | null;
  readonly runs: number;
  readonly doesNotFit: number;
  readonly neededWords: string;
  readonly force: boolean;
  readonly launching: boolean;
}

/** Why nothing can be launched now; null when it can. */
export function launchObstacle(state: LaunchState): string | null {
  if (state.launching) return 'Launching';
  if (!state.online) return 'The connection to the lab is lost';
  if (state.unread) return 'The YAML cannot be read: correct it, or take it back';
  if (state.problems.length > 0) {
    const [first] = state.problems;
    const more = state.problems.length - 1;
    return more > 0 ? `${first.message} (and ${plural(more, 'more problem')})` : first.message;
  }
  if (state.failed !== null) return state.failed;
  if (!state.current) return 'Planning';
  if (state.deviceProblem !== null) return state.deviceProblem;
  if (state.runs === 0) return 'There is nothing to run: every combination was dropped';
  if (state.doesNotFit > 0 && !state.force) {
    const which =
      state.doesNotFit === state.runs
        ? state.runs === 1
          ? 'The run does'
          : 'The runs do'
        : `${plural(state.doesNotFit, 'run')} of ${formatInteger(state.runs)} ${state.doesNotFit === 1 ? 'does' : 'do'}`;
    return `${which} not fit${state.neededWords === '' ? '' : `: ${state.neededWords}`}`;
  }
  return null;
}
