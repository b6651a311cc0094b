/** Recipes with what the fit check says about each on this machine. */
import { ref, shallowRef } from 'vue';
import type { RecipeCard, RecipeCheck } from '../../stores/contract.ts';
import { useClient } from '../../stores/client.ts';
import * as lab from '../../stores/lab.ts';
import { shelf } from '../../stores/preferences.ts';
import { recall, remember } from './remembered.ts';

/** The recipe that a newcomer is pointed at: the shortest that downloads nothing. */
export function firstChoice(recipes: readonly RecipeCard[]): RecipeCard | undefined {
  const ready = recipes.filter((recipe) => !needsDownload(recipe));
  return [...(ready.length > 0 ? ready : recipes)].sort((a, b) => a.about.minutes - b.about.minutes)[0];
}

export const needsDownload = (recipe: RecipeCard): boolean => recipe.download;

/** As many as the lab has threads that plan for forms. */
const AT_ONCE = 2;

/** How many settings a card trains, roughly: what takes long to check is begun early. */
const settingsOf = ({ sweep }: RecipeCard): number =>
  Object.values(sweep?.parameters ?? {}).reduce(
    (product, parameter) => product * ('values' in parameter ? (parameter.values?.length ?? 1) : 1),
    1,
  );

export interface Turns {
  /** The one that newcomers are pointed at. */
  readonly first: RecipeCard | undefined;
  /** Names of the cards that the window shows. */
  readonly inSight: ReadonlySet<string>;
  /** Names of those that show what was said the last time. */
  readonly known: ReadonlyMap<string, unknown>;
}

/** Which recipe is checked next: the first one, what is looked at, what shows nothing yet, what takes long. */
export function nextRecipe(waiting: readonly RecipeCard[], { first, inSight, known }: Turns): RecipeCard | undefined {
  const turn = (recipe: RecipeCard): number =>
    recipe === first ? 0 : 1 + (inSight.has(recipe.name) ? 0 : 2) + (known.has(recipe.name) ? 1 : 0);
  return waiting.toSorted((a, b) => turn(a) - turn(b) || settingsOf(b) - settingsOf(a))[0];
}

export function useRecipes() {
  const recipes = shallowRef<readonly RecipeCard[]>([]);
  const checks = shallowRef<ReadonlyMap<string, RecipeCheck | Error>>(new Map());
  const loaded = ref(false);
  /** What was said the last time, until it is said again. */
  const earlier = shallowRef<ReadonlyMap<string, RecipeCheck>>(new Map());

  /** The list first; then the checks. @param inSight names of the cards that the window shows, as that changes */
  async function load(inSight: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const client = useClient();
    const answer = await client.call('recipes.list', {}, { signal });
    recipes.value = lab.inOrder(answer.recipes);
    loaded.value = true;
    earlier.value = recall(shelf(), recipes.value);
    const turns = { first: firstChoice(recipes.value), inSight, known: earlier.value };
    const waiting = new Set(recipes.value);
    const checkNext = async (): Promise<void> => {
      for (;;) {
        const recipe = nextRecipe([...waiting], turns);
        if (recipe === undefined) return;
        waiting.delete(recipe);
        const check = await client
          .call('recipes.check', { recipe: recipe.name }, { signal })
          .catch((error) => error as Error);
        if (signal.aborted) return;
        checks.value = new Map(checks.value).set(recipe.name, check);
        if (!(check instanceof Error)) remember(shelf(), recipe, check);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, checkNext));
  }
  return { recipes, checks, earlier, loaded, load };
}
