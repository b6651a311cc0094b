/**
 * What the builder and the fit view ask of the lab. The only file of the two views that knows the routes; differences between an
 * answer and what is shown are settled here.
 */
import type { Draft } from '../../preload/contract/draft.ts';
import type { RunRecord } from '../../preload/contract/runs.ts';
import type { Config, SettingSpec, SettingValue } from '../../preload/contract/settings.ts';
import type {
  CheckedSettings,
  DerivedSetting,
  Fit,
  FitDevice,
  FitReport,
  GpuInfo,
  PlanGroup,
  Problem,
  ProgramOccupancy,
  Range,
  RecipeCard,
  Suggestion,
  SweepPlan,
} from '../../preload/contract/shapes.ts';
import { useClient } from './client.ts';

export type {
  CheckedSettings,
  Config,
  DerivedSetting,
  Fit,
  FitDevice,
  FitReport,
  GpuInfo,
  PlanGroup,
  Problem,
  ProgramOccupancy,
  Range,
  RecipeCard,
  Suggestion,
  SweepPlan,
};

/** Where the plan is checked: as the settings say, one of the devices here, or a card of the table. */
export interface DeviceChoice {
  readonly device?: string;
  readonly gpu?: string;
}

/** The form has to answer in 150 ms: what the fit check has not come to by then is asked for again. */
const PLAN_BUDGET_MS = 90;

export const settings = async (): Promise<readonly SettingSpec[]> =>
  (await useClient().call('settings.list', {})).specs;
/** Small models first: the order in which one would try them. */
export const inOrder = (recipes: readonly RecipeCard[]): RecipeCard[] =>
  recipes.toSorted((a, b) => a.about.minutes - b.about.minutes || a.title.localeCompare(b.title));
export const recipes = async (): Promise<readonly RecipeCard[]> =>
  inOrder((await useClient().call('recipes.list', {})).recipes);
export const gpus = async (): Promise<readonly GpuInfo[]> => (await useClient().call('fit.gpus', {})).gpus;
export const vocabularies = async (): Promise<Readonly<Record<string, number>>> =>
  (await useClient().call('data.vocabularies', {})).fixed;
export const check = (
  values: Readonly<Record<string, SettingValue>>,
  recipe: string | null,
): Promise<CheckedSettings> => useClient().call('settings.check', { values, recipe });

/** Plain copies: what is reactive or frozen does not travel. */
export const plain = (draft: Draft): Draft => JSON.parse(JSON.stringify(draft)) as Draft;

export const plan = (draft: Draft, choice: DeviceChoice, signal: AbortSignal): Promise<SweepPlan> =>
  useClient().call('sweeps.plan', { draft: plain(draft), ...choice, budget: PLAN_BUDGET_MS }, { signal });

export const toYaml = (draft: Draft, signal: AbortSignal): Promise<{ yaml: string }> =>
  useClient().call('sweeps.toYaml', { draft: plain(draft) }, { signal });

export const fromYaml = (
  yaml: string,
  signal: AbortSignal,
): Promise<{
  draft: Draft | null;
  problems: readonly Problem[];
  extensions: readonly string[];
}> => useClient().call('sweeps.fromYaml', { yaml }, { signal });

export const launch = (draft: Draft, force: boolean): Promise<{ sweepId: string }> =>
  useClient().call('sweeps.launch', { draft: plain(draft), force });

export const fitReport = (
  values: Readonly<Record<string, SettingValue>>,
  recipe: string | null,
  choice: DeviceChoice,
  occupancy: boolean,
  signal: AbortSignal,
): Promise<FitReport> =>
  useClient().call('fit.report', { values: { ...values }, recipe, ...choice, occupancy }, { signal });

export const run = async (id: string): Promise<RunRecord> => (await useClient().call('runs.get', { id })).run;

export const sweep = (id: string): Promise<{ sweep: { name: string }; draft: Draft | null }> =>
  useClient().call('sweeps.get', { id });

/** Kept by the lab for whoever opens the view next. */
export const stored = async (key: string): Promise<unknown> => (await useClient().call('views.get', { key })).value;
export const store = async (key: string, value: unknown): Promise<void> => {
  await useClient().call('views.set', {
    key,
    value: (value === null ? null : JSON.parse(JSON.stringify(value))) as never,
  });
};
