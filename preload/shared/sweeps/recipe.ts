/** The sweep that a recipe is: what a click on its card trains, and what `sweeplab sweep --recipe` does. */
import { type Draft, EMPTY_DRAFT } from '../../contract/draft.ts';
import type { RecipeCard } from '../../contract/shapes.ts';

/** Of a recipe without a sweep of its own: one run. */
export function draftOfRecipe({ name, sweep }: Pick<RecipeCard, 'name' | 'sweep'>): Draft {
  return { ...EMPTY_DRAFT, recipe: name, ...sweep };
}
