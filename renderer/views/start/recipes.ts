/** Recipes with what the fit check says about each on this machine. */
import { ref, shallowRef } from 'vue';
import type { FitReport, RecipeCard } from '../../stores/contract.ts';
import { useClient } from '../../stores/client.ts';
import { draftOfRecipe } from '../../../preload/shared/sweeps/recipe.ts';
import * as lab from '../../stores/lab.ts';
import type { SweepPlan } from '../../stores/lab.ts';
import { shelf } from '../../stores/preferences.ts';
import type { Check } from './check.ts';
import { recall, remember } from './remembered.ts';

/** The recipe that a newcomer is pointed at: the shortest that downloads nothing. */
export function firstChoice(recipes: readonly RecipeCard[]): RecipeCard | undefined {
  const ready = recipes.filter((recipe) => !needsDownload(recipe));
  return [...(ready.length > 0 ? ready : recipes)].sort((a, b) => a.about.minutes - b.about.minutes)[0];
}

export const needsDownload = (recipe: RecipeCard): boolean => recipe.download;

/** As many as the lab has threads that plan for forms. */
const AT_ONCE = 2;

export function useRecipes() {
  const recipes = shallowRef<readonly RecipeCard[]>([]);
  const checks = shallowRef<ReadonlyMap<string, Check | Error>>(new Map());
  const loaded = ref(false);
  /** What was said the last time, until it is said again. */
  const earlier = shallowRef<ReadonlyMap<string, Check>>(new Map());

  /** The list first; then the checks, the quick ones before the largest model. */
  async function load(signal: AbortSignal): Promise<void> {
    const client = useClient();
    const answer = await client.call('recipes.list', {}, { signal });
    recipes.value = lab.inOrder(answer.recipes);
    loaded.value = true;
    earlier.value = recall(shelf(), recipes.value);
    // The one that newcomers are pointed at first, then those of which nothing is known.
    const first = firstChoice(recipes.value);
    const turn = (recipe: RecipeCard): number => (recipe === first ? 0 : earlier.value.has(recipe.name) ? 2 : 1);
    const waiting = [...recipes.value].sort((a, b) => turn(a) - turn(b));
    const checkNext = async (): Promise<void> => {
      for (let recipe = waiting.shift(); recipe !== undefined && !signal.aborted; recipe = waiting.shift()) {
        const check = await checkOf(recipe, signal);
        if (signal.aborted) return;
        checks.value = new Map(checks.value).set(recipe.name, check);
        if (!(check instanceof Error)) remember(shelf(), recipe, check);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, checkNext));
  }
  return { recipes, checks, earlier, loaded, load };
}

function summarize({ verdict, time, plan }: FitReport): Check {
  const { fit, sentence, neededBytes, availableBytes } = verdict;
  return {
    fit,
    sentence,
    neededBytes,
    availableBytes,
    parameters: plan.parameterCount,
    time: time.seconds === null ? null : [time.seconds.low, time.seconds.high],
    measured: time.basis === 'measured',
    runs: 1,
    settings: 1,
    seeds: 1,
  };
}

/** The same of all runs of a card. */
function ofSweep(check: Check, plan: SweepPlan): Check {
  return {
    ...check,
    time: plan.seconds === null ? null : [plan.seconds.low, plan.seconds.high],
    measured: plan.basis === 'measured',
    runs: plan.runs,
    settings: plan.settings.length,
    seeds: plan.seeds.length,
  };
}

/** What the fit check says of a card, or why it says nothing. */
async function checkOf(recipe: RecipeCard, signal: AbortSignal): Promise<Check | Error> {
  try {
    const check = summarize(await useClient().call('fit.report', { recipe: recipe.name, values: {} }, { signal }));
    return recipe.sweep === undefined ? check : ofSweep(check, await lab.wholePlan(draftOfRecipe(recipe), signal));
  } catch (error) {
    return error as Error;
  }
}
