/** Plans of drafts for a form, remembered: ten thousand combinations take half a second. */
import type { Draft } from '../../../preload/contract/draft.ts';
import type { SweepPlan as ShownPlan } from '../../../preload/contract/shapes.ts';
import { fastestFor } from '../fit/devices.ts';
import type { FitDevice } from '../fit/devices.ts';
import type { PlannedConfig } from '../fit/draftFit.ts';
import { Memo } from '../../engine/memo.ts';
import { isOwnRecipe } from '../settings/index.ts';
import type { SettingsRegistry } from '../settings/index.ts';
import type { SweepPlan } from './planned.ts';
import { planSpec } from './planSpec.ts';

/** What a form shows of the plan, before its memory is known. */
export type DraftSummary = Pick<
  ShownPlan,
  'runs' | 'settings' | 'seeds' | 'dropped' | 'duplicates' | 'combinations' | 'derived' | 'problems' | 'warnings'
>;

/** A form asks several times for one draft: for its runs, then for their memory as far as time allows, then for the rest. */
const REMEMBERED = 4;

export class DraftPlans {
  readonly #registry: SettingsRegistry;
  readonly #memo = new Memo<Promise<SweepPlan>>(REMEMBERED);

  constructor(registry: SettingsRegistry) {
    this.#registry = registry;
  }

  /** @param device whose choice `precision.policy: auto` is; that of this machine unless given @throws RecipeError */
  async get(draft: Draft, device?: FitDevice): Promise<SweepPlan> {
    const fastest = device === undefined ? undefined : fastestFor(device);
    const plan = (): Promise<SweepPlan> => planSpec(this.#registry, draft, { fastest });
    // A recipe in a file of the user's can change between two questions.
    if (isOwnRecipe(draft.recipe)) return await plan();
    try {
      return await this.#memo.get(JSON.stringify([draft, fastest?.('')]), plan);
    } catch (error) {
      this.#memo.clear();
      throw error;
    }
  }
}

export function summaryOf({ runs, settings, ...plan }: SweepPlan): DraftSummary {
  return { ...plan, runs: runs.length, settings: settings.map(({ key, label, values }) => ({ key, label, values })) };
}

/** One entry for each setting, with the configuration of its first run: seeds change neither memory nor time. */
export function configsOf({ settings, seeds, runs }: SweepPlan): PlannedConfig[] {
  return settings.map(({ label, values }, i) => ({
    label,
    values,
    config: runs[i * seeds.length]!.config,
    runs: seeds.length,
  }));
}
