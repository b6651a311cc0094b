/** The runs that a draft stands for. Planned in the thread of planWorker.ts: ten thousand combinations take half a second. */
import type { Draft, Problem, SweepPlan } from '../../../preload/contract/shapes.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { Memo } from '../../lab/fit/memo.ts';
import { listRecipes, loadRecipe } from '../../lab/settings/index.ts';
import type { SettingsRegistry } from '../../lab/settings/index.ts';
import { planSweep } from '../../lab/sweeps/index.ts';
import type { SweepPlan as Plan, SweepSpec } from '../../lab/sweeps/index.ts';
import { draftToSweep, withoutPlace } from './draftYaml.ts';
import type { PlannedConfig } from './sweepFit.ts';

/** A draft that cannot be read has no plan. */
export type PlannedDraft =
  | { readonly plan: Plan; readonly spec: SweepSpec; readonly problems?: never }
  | { readonly problems: readonly Problem[] };

/** What a form shows of the plan, before its memory is known. */
export type DraftSummary = Pick<
  SweepPlan,
  'runs' | 'settings' | 'seeds' | 'dropped' | 'duplicates' | 'combinations' | 'problems' | 'warnings'
>;

/** A form asks several times for one draft: for its runs, then for their memory as far as time allows, then for the rest. */
const REMEMBERED = 4;
/** Plans larger than this are made again instead of kept. */
const MOST_RUNS = 20_000;

export class DraftPlans {
  readonly #registry: SettingsRegistry;
  readonly #memo = new Memo<Promise<PlannedDraft>>(REMEMBERED);

  constructor(registry: SettingsRegistry) {
    this.#registry = registry;
  }

  /** @throws RecipeError */
  async get(draft: Draft): Promise<PlannedDraft> {
    // A recipe in a file of the user's can change between two questions.
    if (/\.ya?ml$/u.test(draft.recipe ?? '')) return await this.#plan(draft);
    const planned = this.#memo.get(JSON.stringify(draft), () => this.#plan(draft));
    try {
      const made = await planned;
      if (made.problems === undefined && made.plan.runs.length > MOST_RUNS) this.#memo.clear();
      return made;
    } catch (error) {
      this.#memo.clear();
      throw error;
    }
  }

  async #plan(draft: Draft): Promise<PlannedDraft> {
    const { sweep: spec, problems } = draftToSweep(draft);
    if (spec === undefined) return { problems };
    const own = spec.recipe !== undefined && /\.ya?ml$/u.test(spec.recipe);
    const base = own ? { recipe: (await loadRecipe(spec.recipe!)).source } : {};
    return { plan: planSweep({ registry: this.#registry, sweep: spec, recipes: await listRecipes(), base }), spec };
  }
}

export function summaryOf(plan: Plan): DraftSummary {
  return {
    runs: plan.runs.length,
    settings: plan.settings.map(({ key, label, values }) => ({ key, label, values })),
    seeds: plan.seeds,
    dropped: plan.dropped,
    duplicates: plan.duplicates,
    combinations: plan.combinations,
    problems: plan.problems.map(withoutPlace),
    warnings: plan.warnings,
  };
}

/** One entry for each setting. */
export function configsOf(plan: Plan): PlannedConfig[] {
  const configs = new Map<string, Config>(plan.runs.map(({ settingKey, config }) => [settingKey, config]));
  return plan.settings.map(({ key, label, values }) => ({
    label,
    values,
    config: configs.get(key)!,
    runs: plan.seeds.length,
  }));
}
