/** A sweep planned with the recipes that lie on the disk. */
import type { Draft } from '../../../preload/contract/draft.ts';
import { isOwnRecipe, listRecipes, loadRecipe } from '../settings/index.ts';
import type { SettingsRegistry } from '../settings/index.ts';
import type { Places } from './places.ts';
import { planSweep } from './plan.ts';
import type { SweepPlan } from './planned.ts';

/** @throws RecipeError for a recipe file of the user's own that cannot be read */
export async function planSpec(registry: SettingsRegistry, sweep: Draft, places?: Places): Promise<SweepPlan> {
  // A recipe of the user's own is a path, which the planner does not look up.
  const base = isOwnRecipe(sweep.recipe) ? { recipe: (await loadRecipe(sweep.recipe!)).source } : {};
  const recipes = await listRecipes();
  return planSweep({ registry, sweep, recipes, base, ...(places === undefined ? {} : { places }) });
}
