/** What the fit check last said of each recipe, kept in the browser: cards show it at once, while a busy machine is asked again. */
import type { RecipeCard, RecipeCheck } from '../../stores/contract.ts';
import type { Shelf } from '../../stores/preferences.ts';

const KEY = 'sweeplab.recipes';
/** A recipe that has changed since is another one. */
const identity = (recipe: RecipeCard): string => JSON.stringify(recipe);

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const NUMBERS = ['neededBytes', 'availableBytes', 'parameters', 'runs', 'settings', 'seeds'] as const;

function isCheck(value: unknown): value is RecipeCheck {
  if (typeof value !== 'object' || value === null) return false;
  const { fit, sentence, time, measured } = value as Partial<Record<keyof RecipeCheck, unknown>>;
  return (
    ['fits', 'tight', 'does not fit'].includes(fit as string) &&
    typeof sentence === 'string' &&
    typeof measured === 'boolean' &&
    NUMBERS.every((name) => isNumber((value as Record<string, unknown>)[name])) &&
    (time === null || (Array.isArray(time) && time.length === 2 && time.every(isNumber)))
  );
}

function stored(shelf: Shelf | null): Readonly<Record<string, { readonly of?: unknown; readonly check?: unknown }>> {
  try {
    const parsed: unknown = JSON.parse(shelf?.getItem(KEY) ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? (parsed as ReturnType<typeof stored>) : {};
  } catch {
    // Written by something else, or denied.
    return {};
  }
}

/** By the recipe's name; nothing of recipes that have changed, nor what cannot be read. */
export function recall(shelf: Shelf | null, recipes: readonly RecipeCard[]): ReadonlyMap<string, RecipeCheck> {
  const kept = stored(shelf);
  return new Map(
    recipes.flatMap((recipe): [string, RecipeCheck][] => {
      const found = kept[recipe.name];
      return found?.of === identity(recipe) && isCheck(found.check) ? [[recipe.name, found.check]] : [];
    }),
  );
}

export function remember(shelf: Shelf | null, recipe: RecipeCard, check: RecipeCheck): void {
  try {
    shelf?.setItem(KEY, JSON.stringify({ ...stored(shelf), [recipe.name]: { of: identity(recipe), check } }));
  } catch {
    // Full or denied: it is asked again.
  }
}
