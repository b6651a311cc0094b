/** The sweep that a command line asks for: a sweep file, flags, or both; and its plan. */
import { isDeepStrictEqual } from 'node:util';
import type { Draft } from '../../preload/contract/draft.ts';
import { LIMITS } from '../../preload/contract/limits.ts';
import { methodNames, searchFamily } from '../lab/search/index.ts';
import { parseSweep, planSpec, sweepFromFlags } from '../lab/sweeps/index.ts';
import type { Places, SweepPlan } from '../lab/sweeps/index.ts';
import { readText, refuse } from './configuration.ts';
import type { Context } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { seedsOf } from './valueLists.ts';

/** Flags about the sweep as a whole. */
export interface SweepFlags {
  readonly recipe?: string;
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
}

/** The sweep of the file, with the flags on top: several values vary a setting, one value fixes it. */
export async function readSweep(
  { workshop }: Context,
  file: string | undefined,
  values: Readonly<Record<string, readonly string[]>>,
  options: SweepFlags,
): Promise<ReadSweep> {
  const yaml = file === undefined ? undefined : await readText(file, 'sweep file', LIMITS.yamlCharacters);
  const methods = methodNames(workshop.registry.catalog.all(searchFamily));
  const parsed = yaml === undefined ? undefined : parseSweep(yaml, file, methods);
  refuse(parsed?.problems ?? []);
  const flags = sweepFromFlags(values, {
    registry: workshop.registry,
    base: parsed?.sweep,
    method: options.method,
    seeds: seedsOf(options.seeds),
    runCap: wholeNumber('--run-cap', options.runCap, 1),
    sweepSeed: wholeNumber('--sweep-seed', options.sweepSeed, 0),
    recipe: options.recipe,
    constraints: options.constraint,
    name: options.name,
  });
  refuse(flags.problems);
  const same = isDeepStrictEqual(flags.sweep, parsed?.sweep);
  return { spec: flags.sweep, ...(same ? { yaml } : {}), places: parsed?.places };
}

/** @throws InputError when nothing may start */
export async function makePlan({ workshop }: Context, spec: Draft, places?: Places): Promise<SweepPlan> {
  const plan = await planSpec(workshop.registry, spec, places);
  refuse(plan.problems);
  return plan;
}
