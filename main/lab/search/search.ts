/** What a search method is: a kind that says which combinations of a sweep are run. A method is one file here, or of a plug-in. */
import type { Problem, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';
import { labelledDefiner } from '../labelled.ts';
import type { LabelledKind } from '../labelled.ts';

export interface SearchParameter {
  /** Of the setting. */
  readonly name: string;
  readonly distribution: Distribution;
}

/** What is searched. */
export interface SearchSpace {
  /** Sorted by name. */
  readonly parameters: readonly SearchParameter[];
  /** `sweep_seed`: what a method draws follows from it alone. */
  readonly seed: number;
}

/** A value for each parameter, in the order of the space. */
export type Combination = readonly SettingValue[];

/** A combination that was proposed before. */
export interface Tried {
  readonly values: Combination;
  /** The sweep's metric, the mean over the seeds that finished; absent where no run of it has finished, as while a sweep is planned. */
  readonly result?: number;
}

export interface SearchKind extends LabelledKind {
  /** What people choose: `Grid`. */
  readonly label: string;
  /** True where values are drawn: any distribution will do, `run_cap` says how many runs there are, and another `sweep_seed` gives others. */
  readonly draws: boolean;
  /**
   * Up to `n` further combinations, where `tried` are all that were proposed so far, in their order; fewer when there are no more. The
   * same for the same arguments. Combinations that cannot run or repeat an earlier run are dropped by the plan.
   */
  propose(space: SearchSpace, tried: readonly Tried[], n: number): Iterable<Combination>;
  /** How many combinations there are in all, where that is known. */
  size?(space: SearchSpace): number;
  /** Why the method cannot take values from a distribution; undefined when it can. Code `not_listed`: another method could. */
  check?(spec: SettingSpec, distribution: Distribution): Problem | undefined;
  /** What people may not expect of the values that the method takes from a distribution, as the plan says it; undefined where there is nothing. */
  note?(distribution: Distribution): string | undefined;
}

/** @throws DeclarationError naming method and field */
export const defineSearch = labelledDefiner<SearchKind>('search', ['propose'], (made, fail) => {
  if (typeof made.draws !== 'boolean') fail('draws', 'must be true or false');
  for (const field of ['size', 'check', 'note'] as const)
    if (made[field] !== undefined && typeof made[field] !== 'function') fail(field, 'must be a function');
});

const FIRST = 64;

/** Every combination that a method proposes while nothing has run, one after the other; perhaps without end. */
export function* proposals(method: SearchKind, space: SearchSpace): Generator<Combination> {
  const tried: Tried[] = [];
  // More with each round, so that what a method works out for a round is worked out seldom.
  for (let n = FIRST; ; n *= 2) {
    const found = [...method.propose(space, tried, n)].slice(0, n);
    yield* found;
    if (found.length < n) return;
    for (const values of found) tried.push({ values });
  }
}
