/** Recipes with what the fit check says about each on this machine. */
import { ref, shallowRef } from 'vue';
import type { Draft, FitReport, RecipeCard } from '../../stores/contract.ts';
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

export function useRecipes() {
  const recipes = shallowRef<readonly RecipeCard[]>([]);
  const checks = shallowRef<ReadonlyMap<string, Check | Error>>(new Map());
  const loaded = ref(false);
  /** What was said the last time, until it is said again. */
  const earlier = shallowRef<ReadonlyMap<string, Check>>(new Map());

  /** The list first; then one check after the other, so that nothing waits for the largest model. */
  async function load(signal: AbortSignal): Promise<void> {
    const client = useClient();
    const answer = await client.call('recipes.list', {}, { signal });
    recipes.value = lab.inOrder(answer.recipes);
    loaded.value = true;
    earlier.value = recall(shelf(), recipes.value);
    // The one that newcomers are pointed at first, then those of which nothing is known.
    const first = firstChoice(recipes.value);
    const turn = (recipe: RecipeCard): number => (recipe === first ? 0 : earlier.value.has(recipe.name) ? 2 : 1);
    for (const recipe of [...recipes.value].sort((a, b) => turn(a) - turn(b))) {
      if (signal.aborted) return;
      let check: Check | Error;
      try {
        check = summarize(await client.call('fit.report', { recipe: recipe.name, values: {} }, { signal }));
        if (recipe.sweep !== undefined) check = ofSweep(check, await wholePlan(draftOfRecipe(recipe), signal));
      } catch (error) {
        if (signal.aborted) return;
        check = error as Error;
      }
      checks.value = new Map(checks.value).set(recipe.name, check);
      if (!(check instanceof Error)) remember(shelf(), recipe, check);
    }
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

/** The plan once the fit check has come to all of it. */
async function wholePlan(draft: Draft, signal: AbortSignal): Promise<SweepPlan> {
  for (;;) {
    const plan = await lab.plan(draft, {}, signal);
    if (plan.pending === 0) return plan;
  }
}
