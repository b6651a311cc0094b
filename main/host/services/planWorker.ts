/** The thread that plans: building and differentiating a large model takes seconds, in which nobody shall wait for anything else. */
import { workerData } from 'node:worker_threads';
import type { Config, Warning } from '../../../preload/contract/settings.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import type { ProgramOccupancy, RecipeCheck } from '../../../preload/contract/shapes.ts';
import { checkLaunch, fitReport, measureTexts, speedsIn, unplannedTextWarnings } from '../../lab/fit/index.ts';
import type { FitDevice, FitReport, LaunchCheck, Prices } from '../../lab/fit/index.ts';
import { openStore } from '../../store/index.ts';
import { loadWorkshop } from '../lab.ts';
import { labPaths } from '../paths.ts';
import { confinedTo } from '../../engine/data/reading/confine.ts';
import type { Reach } from '../../lab/datasets/datasets.ts';
import { configsOf, DraftPlans, summaryOf } from '../../lab/sweeps/index.ts';
import type { DraftSummary, SweepPlan } from '../../lab/sweeps/index.ts';
import { programOccupancy } from '../../lab/fit/occupancy.ts';
import { PlanMemory } from '../../lab/fit/planMemory.ts';
import { checkRecipe } from '../../lab/fit/recipeCheck.ts';
import { checkSweep } from '../../lab/fit/draftFit.ts';
import type { CheckedSweep } from '../../lab/fit/draftFit.ts';
import { refuse } from './errors.ts';
import { answerWith } from './threadMain.ts';
import type { Answerers } from './threadMain.ts';

export interface PlanWorkerData {
  readonly home: string;
  readonly database: string;
  /** Plug-in files. */
  readonly plugins: readonly string[];
}

/** What can be asked, and what comes back. */
type Plans = {
  /**
   * The runs of a draft in words, and what their devices follow from; null when there is nothing to check. `chosen`: the device that they
   * are planned for, where it is not the one that they would train on.
   */
  draft: {
    ask: { draft: Draft; chosen: FitDevice | undefined };
    answer: { summary: DraftSummary; first: Config | null };
  };
  /** Memory and time of the runs of a draft that `draft` has found in order. */
  sweep: {
    ask: {
      draft: Draft;
      device: FitDevice;
      chosen: FitDevice | undefined;
      prices: Prices;
      budget: number | undefined;
    };
    answer: CheckedSweep;
  };
  report: {
    ask: { config: Config; device: FitDevice; prices: Prices; occupancy: boolean };
    answer: { report: FitReport; programs: ProgramOccupancy[] };
  };
  /** What its card says of all runs of a recipe. */
  recipe: { ask: { draft: Draft; device: FitDevice }; answer: RecipeCheck };
  launch: {
    ask: { configs: readonly Config[]; concurrency: number; force: boolean };
    answer: Pick<LaunchCheck, 'refusals' | 'warnings' | 'concurrency' | 'limit'>;
  };
  /** Everything about the runs of a draft. */
  runs: { ask: { draft: Draft }; answer: SweepPlan };
};

/** As {@link Plans}, and what the reading of texts may not leave. */
export type PlanQuestions = {
  [W in keyof Plans]: { ask: Plans[W]['ask'] & { readonly reach?: Reach | undefined }; answer: Plans[W]['answer'] };
};

const { home, database, plugins } = workerData as PlanWorkerData;
const workshop = await loadWorkshop({ home, plugins });
const { catalog } = workshop.registry;
const reading = <T>(read: (store: ReturnType<typeof openStore>) => T): T => {
  const store = openStore(database, { readOnly: true });
  try {
    return read(store);
  } finally {
    store.close();
  }
};
const memory = new PlanMemory(
  catalog,
  () => reading((store) => store.listRuns({ state: ['finished', 'stopped', 'running'] })),
  (run) => reading((store) => speedsIn(store)(run)),
);

/** Texts that lie prepared are counted there. */
const texts = { cacheDir: labPaths(home).cache, kinds: catalog };

const drafts = new DraftPlans(workshop.registry);

/** Of the first settings: a form asks at every keystroke. */
const LOOKED_AT = 100;
async function warningsOfTexts(plan: SweepPlan, signal: AbortSignal): Promise<Warning[]> {
  const configs = configsOf(plan)
    .slice(0, LOOKED_AT)
    .map(({ config }) => config);
  return await unplannedTextWarnings(configs, { ...texts, signal });
}

/** Each answers within what the page may read. */
function confined(answerers: Answerers<PlanQuestions>): Answerers<PlanQuestions> {
  const entries = Object.entries(answerers as Record<string, (ask: never, signal: AbortSignal) => unknown>);
  const within = entries.map(([what, answer]) => [
    what,
    (ask: { readonly reach?: Reach }, signal: AbortSignal) => confinedTo(ask.reach, () => answer(ask as never, signal)),
  ]);
  return Object.fromEntries(within) as Answerers<PlanQuestions>;
}

answerWith<PlanQuestions>(
  confined({
    draft: async ({ draft, chosen }, signal) => {
      const plan = await drafts.get(draft, chosen);
      const { warnings, ...summary } = summaryOf(plan);
      return {
        summary: { ...summary, warnings: [...warnings, ...(await warningsOfTexts(plan, signal))] },
        first: plan.problems.length > 0 ? null : (plan.runs[0]?.config ?? null),
      };
    },
    sweep: async ({ draft, device, chosen, prices, budget }, signal) => {
      const settings = configsOf(await drafts.get(draft, chosen));
      await measureTexts(
        settings.slice(0, LOOKED_AT).map(({ config }) => config),
        { ...texts, signal },
      );
      return await checkSweep(memory, settings, device, { prices, budget, signal });
    },
    report: async ({ config, device, prices, occupancy }, signal) => {
      await measureTexts([config], { ...texts, signal });
      return {
        report: fitReport(config, device, { catalog, prices, samples: memory.samples }),
        programs: occupancy ? programOccupancy(config, { kind: device.kind, catalog }) : [],
      };
    },
    recipe: async ({ draft, device }, signal) => {
      const plan = await drafts.get(draft);
      refuse(plan.problems);
      const settings = configsOf(plan);
      await measureTexts(
        settings.map(({ config }) => config),
        { ...texts, signal },
      );
      return {
        ...(await checkRecipe(memory, settings, device, signal)),
        runs: plan.runs.length,
        settings: settings.length,
        seeds: plan.seeds.length,
      };
    },
    launch: async ({ configs, concurrency, force }, signal) => {
      const { cacheDir } = texts;
      const { checked: _, ...check } = await checkLaunch(configs, { catalog, cacheDir, signal, concurrency, force });
      return check;
    },
    runs: ({ draft }) => drafts.get(draft),
  }),
  // The only message: a run has ended, so that speeds are known better.
  () => memory.forgetSpeeds(),
);
