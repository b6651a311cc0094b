/** The sweep that a command line asks for: a sweep file or the sweep of a recipe, flags, or both; and its plan. */
import { isDeepStrictEqual } from 'node:util';
import type { Draft } from '../../preload/contract/draft.ts';
import { LIMITS } from '../../preload/contract/limits.ts';
import { draftOfRecipe } from '../../preload/shared/sweeps/recipe.ts';
import { methodNames, searchFamily } from '../lab/search/index.ts';
import { loadRecipe, type Recipe } from '../lab/settings/index.ts';
import { parseSweep, planSpec, sweepFromFlags } from '../lab/sweeps/index.ts';
import type { Places, SpecOptions, SweepPlan } from '../lab/sweeps/index.ts';
import { readText, refuse } from './configuration.ts';
import type { Context } from './context.ts';
import { counted } from '../../preload/shared/format.ts';
import { wholeNumber } from './numbers.ts';
import { repeatedSeeds } from '../../preload/shared/sweeps/seeds.ts';
import { seedsOf } from './valueLists.ts';

/** Flags about the sweep as a whole. */
export interface SweepFlags {
  readonly recipe?: string;
  /** Whether the recipe's own sweep is taken too; else its settings alone. */
  readonly recipeSweep?: boolean;
  readonly name?: string;
  readonly seeds?: string[];
  readonly method?: string;
  readonly runCap?: string;
  readonly sweepSeed?: string;
  readonly constraint?: string[];
}

export interface ReadSweep {
  readonly spec: Draft;
  /** The text of the file, where nothing was changed by flags. */
  readonly yaml?: string;
  /** Where in the file its parts stand. */
  readonly places?: Places;
  /** Whose sweep it is, in words, where it is that of a recipe. */
  readonly words?: string;
}

/** The sweep of the file or else of the recipe, with the flags on top: several values vary a setting, one value fixes it. */
export async function readSweep(
  { workshop, output }: Context,
  file: string | undefined,
  values: Readonly<Record<string, readonly string[]>>,
  options: SweepFlags,
): Promise<ReadSweep> {
  const yaml = file === undefined ? undefined : await readText(file, 'sweep file', LIMITS.yamlCharacters);
  const methods = methodNames(workshop.registry.catalog.all(searchFamily));
  const parsed = yaml === undefined ? undefined : parseSweep(yaml, file, methods);
  refuse(parsed?.problems ?? []);
  const recipe = yaml === undefined ? await recipeWithSweep(options) : undefined;
  const flags = sweepFromFlags(values, {
    registry: workshop.registry,
    base: recipe === undefined ? parsed?.sweep : draftOfRecipe(recipe),
    method: options.method,
    seeds: seedsOf(options.seeds),
    runCap: wholeNumber('--run-cap', options.runCap, 1),
    sweepSeed: wholeNumber('--sweep-seed', options.sweepSeed, 0),
    recipe: options.recipe,
    constraints: options.constraint,
    name: options.name,
  });
  refuse(flags.problems);
  const repeated = options.seeds === undefined ? undefined : repeatedSeeds(options.seeds.join(' '));
  if (repeated !== undefined) output.warn(`--seeds: ${repeated}`);
  const same = isDeepStrictEqual(flags.sweep, parsed?.sweep);
  const given = [
    ...Object.keys(values),
    ...(['seeds', 'method'] as const).filter((part) => options[part] !== undefined),
  ];
  const words = recipe === undefined ? {} : { words: recipeWords(recipe, given, flags.sweep) };
  return { spec: flags.sweep, ...(same ? { yaml } : {}), places: parsed?.places, ...words };
}

/** The recipe whose own sweep is asked for; undefined where there is none. @throws RecipeError */
async function recipeWithSweep({ recipe: name, recipeSweep }: SweepFlags): Promise<Recipe | undefined> {
  if (name === undefined || recipeSweep !== true) return undefined;
  const recipe = await loadRecipe(name);
  return recipe.sweep === undefined ? undefined : recipe;
}

/** Whose sweep it is, what flags changed of it, and how to have it without the recipe's. */
function recipeWords({ name, sweep }: Recipe, given: readonly string[], { parameters }: Draft): string {
  const axes = Object.entries(sweep!.parameters).flatMap(([axis, { value }]) => (value === undefined ? [axis] : []));
  const changed = given.filter((each) => each === 'seeds' || each === 'method' || each in sweep!.parameters);
  const added = Object.keys(parameters).filter((axis) => !(axis in sweep!.parameters));
  const flags = [
    ...(changed.length > 0 ? [`${changed.join(', ')} as given here`] : []),
    ...(added.length > 0 ? [`${added.join(', ')} varied as well`] : []),
  ];
  const kept = axes.some((axis) => !given.includes(axis));
  return (
    `sweep of the recipe ${name} (${axes.join(' × ')}, ${counted(sweep!.seeds, 'seed')})` +
    (flags.length > 0 ? `, with ${flags.join(' and ')}` : '') +
    (added.length > 0 && kept ? `; --no-recipe-sweep varies ${added.join(', ')} alone` : '')
  );
}

/** @throws InputError when nothing may start */
export async function makePlan({ workshop }: Context, spec: Draft, options: SpecOptions = {}): Promise<SweepPlan> {
  const plan = await planSpec(workshop.registry, spec, options);
  refuse(plan.problems);
  return plan;
}
