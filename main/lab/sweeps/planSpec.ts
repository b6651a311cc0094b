/** A sweep planned with the recipes that lie on the disk. */
import { knowing } from '../../engine/executors/fastest.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import { isOwnRecipe, listRecipes, loadRecipe } from '../settings/index.ts';
import type { SettingsRegistry } from '../settings/index.ts';
import type { Places } from './places.ts';
import { planSweep } from './plan.ts';
import type { SweepPlan } from './planned.ts';

export interface SpecOptions {
  readonly places?: Places | undefined;
  /** What `precision.policy: auto` means, where not this machine is asked about. */
  readonly fastest?: FastestOn | undefined;
}

/** @throws RecipeError for a recipe file of the user's own that cannot be read */
export async function planSpec(
  registry: SettingsRegistry,
  sweep: Draft,
  { places, fastest }: SpecOptions = {},
): Promise<SweepPlan> {
  // A recipe of the user's own is a path, which the planner does not look up.
  const base = isOwnRecipe(sweep.recipe) ? { recipe: (await loadRecipe(sweep.recipe!)).source } : {};
  const recipes = await listRecipes();
  return await knowing(() =>
    planSweep({ registry, sweep, recipes, base: { ...base, fastest }, ...(places === undefined ? {} : { places }) }),
  );
}
