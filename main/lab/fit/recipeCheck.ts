/** What the card of a recipe says: whether its runs fit and how long they take together. A fraction of a whole report, which searches for more. */
import type { RecipeCheck } from '../../../preload/contract/shapes.ts';
import { checkSweep } from './draftFit.ts';
import type { PlannedConfig } from './draftFit.ts';
import type { FitDevice } from './devices.ts';
import type { PlanMemory } from './planMemory.ts';

/** @param settings of all runs, at least one @throws the reason of the signal */
export async function checkRecipe(
  memory: PlanMemory,
  settings: readonly PlannedConfig[],
  device: FitDevice,
  signal?: AbortSignal,
): Promise<Omit<RecipeCheck, 'runs' | 'settings' | 'seeds'>> {
  const { groups, seconds, basis } = await checkSweep(memory, settings, device, {
    prices: {},
    suggest: false,
    ...(signal === undefined ? {} : { signal }),
  });
  // Largest first: where that fits, all do.
  const [{ verdict, parameters }] = groups as [(typeof groups)[number]];
  const { fit, sentence, neededBytes, availableBytes } = verdict;
  const time = seconds === null ? null : ([seconds.low, seconds.high] as const);
  return { fit, sentence, neededBytes, availableBytes, parameters, time, measured: basis === 'measured' };
}
