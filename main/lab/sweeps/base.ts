/** What all runs of a sweep have in common: the configuration that they start from, their seeds, and how many settings there may be. */
import { type Draft, EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Problem } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import type { SearchKind } from '../search/search.ts';
import { listedValues } from '../search/listed.ts';
import type { Recipe } from '../settings/recipes.ts';
import type { ResolveInput } from '../settings/resolve.ts';
import type { SettingsSource } from '../settings/source.ts';
import type { BoundParameter } from './check.ts';
import { counted } from '../../../preload/shared/format.ts';

export interface BaseInput {
  readonly sweep: Draft;
  /** What the runs start from; the sweep's own `settings` win over recipe and file, overrides over all but parameters. */
  readonly base?: Omit<ResolveInput, 'registry'>;
  /** Recipes that the sweep may name. */
  readonly recipes?: readonly Recipe[];
}

/** The base layers with the sweep's `recipe` and `settings` in their places. */
export function baseInput(input: BaseInput): { base: Omit<ResolveInput, 'registry'>; problems: Problem[] } {
  const { sweep, base = {}, recipes = [] } = input;
  const problems: Problem[] = [];
  let recipe = base.recipe;
  if (!recipe && sweep.recipe !== null) {
    const names = recipes.map(({ name }) => name);
    recipe = recipes.find(({ name }) => name === sweep.recipe)?.source;
    if (!recipe) {
      const found = problem('recipe', sweep.recipe, `one of ${names.join(', ')}`, nearestName(sweep.recipe, names));
      problems.push({ ...found, code: 'recipe' });
    }
  }
  const own = Object.entries(sweep.settings).map(([name, value]) => ({ name, value, fromText: true }));
  const fromFile = (base.file?.entries ?? []).filter(({ name }) => !Object.hasOwn(sweep.settings, name));
  const file: SettingsSource = {
    origin: 'file',
    label: base.file?.label ?? 'sweep',
    entries: [...fromFile, ...own],
    problems: base.file?.problems ?? [],
  };
  return {
    base: {
      ...(recipe ? { recipe } : {}),
      file,
      ...(base.overrides ? { overrides: base.overrides } : {}),
      fastest: base.fastest,
    },
    problems,
  };
}

/** The seed list: `seeds`, or a parameter named seed, or the base seed alone. */
export function seedList(
  { seeds }: Draft,
  parameters: readonly BoundParameter[],
  baseSeed: number,
): { seeds: readonly number[]; problems: Problem[] } {
  const swept = parameters.find(({ name }) => name === 'seed');
  if (!swept) {
    return {
      seeds: typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => baseSeed + i) : seeds,
      problems: [],
    };
  }
  const refuse = (why: string): { seeds: readonly number[]; problems: Problem[] } => {
    const found = problem(
      'parameters.seed',
      swept.distribution.kind,
      'seeds: N or a list of seeds at the top level',
      undefined,
      why,
    );
    return { seeds: [], problems: [{ ...found, code: 'seeds' }] };
  };
  if (seeds !== EMPTY_DRAFT.seeds) return refuse('beside seeds');
  const values = listedValues(swept.distribution);
  if (!values) return refuse('every setting must have the same seeds');
  return { seeds: values as readonly number[], problems: [] };
}

/** How many settings run_cap leaves room for; every setting keeps all of its seeds. */
export function settingCap(
  { runCap }: Draft,
  method: SearchKind | undefined,
  seeds: number,
): { cap: number; problems: Problem[] } {
  if (runCap === null) return { cap: Infinity, problems: [] };
  // Where all is listed it only cuts off; what is drawn is as long as it says.
  if (runCap > LIMITS.runs && method?.draws === true) {
    const found = problem('run_cap', runCap, `at most ${LIMITS.runs} runs in a sweep, seeds counted`, LIMITS.runs);
    return { cap: 0, problems: [{ ...found, code: 'run_cap' }] };
  }
  const cap = Math.floor(runCap / seeds);
  if (cap > 0) return { cap, problems: [] };
  const found = problem('run_cap', runCap, `at least ${seeds}, one setting with its ${counted(seeds, 'seed')}`, seeds);
  return { cap, problems: [{ ...found, code: 'run_cap' }] };
}
