/** What the plan says, in few words. */
import { plural, formatInteger } from '../../../../preload/shared/format.ts';

export interface DroppedCombination {
  readonly label?: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

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

/** `model.heads is 4 (model.width % model.heads: 130 % 4 = 2); allowed: …` and `model.width >= 64: model.width = 32`. */
function split(reason: string): { readonly rule: string; readonly numbers: string } {
  const inside = /^\S+ is .*?\(([^:()]+): ([^()]+)\)/u.exec(reason);
  if (inside !== null) return { rule: inside[1], numbers: inside[2] };
  const constraint = /^((?:(?! is )[^:])+): (.* = .*)$/u.exec(reason);
  if (constraint !== null) return { rule: constraint[1], numbers: constraint[2] };
  const value = /^(\S+) is ([^;]+); allowed: ([^;]+)/u.exec(reason);
  if (value !== null) return { rule: `${value[1]}: ${value[3].replaceAll(/\d[\d,.]*/gu, '…')}`, numbers: value[2] };
  return { rule: reason, numbers: '' };
}

/** The part of a reason that combinations share: without the numbers of each. */
export const ruleOf = (reason: string): string => split(reason).rule;
/** The numbers of one combination: `130 % 4 = 2`. */
export const numbersOf = (reason: string): string => split(reason).numbers;

/** Dropped combinations by what refused them, the most frequent first. */
export function groupDropped(dropped: readonly DroppedCombination[]): DroppedGroup[] {
  return [...Map.groupBy(dropped, ({ reason }) => ruleOf(reason))]
    .map(([why, combinations]) => ({ why, combinations }))
    .sort((a, b) => b.combinations.length - a.combinations.length);
}

export interface LaunchState {
  readonly online: boolean;
  /** A plan for exactly this draft is here. */
  readonly current: boolean;
  readonly failed: string | null;
  readonly problems: readonly { readonly message: string }[];
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
  if (state.problems.length > 0) {
    const [first] = state.problems;
    const more = state.problems.length - 1;
    return more > 0 ? `${first.message} (and ${plural(more, 'more problem')})` : first.message;
  }
  if (state.failed !== null) return state.failed;
  if (!state.current) return 'Planning';
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
