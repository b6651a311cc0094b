/** The thread that plans: building and differentiating a large model takes seconds, in which nobody shall wait for anything else. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../../../preload/contract/settings.ts';
import type { ErrorCode } from '../../../preload/contract/rpc.ts';
import type { ProgramOccupancy } from '../../../preload/contract/shapes.ts';
import { checkLaunch, fitReport, prepareKind } from '../../lab/fit/index.ts';
import type { FitDevice, FitReport, LaunchCheck, Prices } from '../../lab/fit/index.ts';
import { openStore } from '../../store/index.ts';
import { loadWorkshop } from '../lab.ts';
import { toLabError } from './errors.ts';
import { programOccupancy } from './occupancy.ts';
import { PlanMemory } from './planMemory.ts';
import { checkSweep } from './sweepFit.ts';
import type { CheckedSweep, PlannedConfig } from './sweepFit.ts';

export interface PlanWorkerData {
  readonly home: string;
  readonly database: string;
  /** Plug-in files. */
  readonly plugins: readonly string[];
}

/** What can be asked, and what comes back. */
export interface PlanQuestions {
  sweep: {
    ask: { settings: readonly PlannedConfig[]; device: FitDevice; prices: Prices; budget: number | undefined };
    answer: CheckedSweep;
  };
  report: {
    ask: { config: Config; device: FitDevice; prices: Prices; occupancy: boolean };
    answer: { report: FitReport; programs: ProgramOccupancy[] };
  };
  launch: {
    ask: { configs: readonly Config[]; concurrency: number; force: boolean };
    answer: Pick<LaunchCheck, 'refusals' | 'warnings' | 'concurrency'>;
  };
}
export type PlanQuestion = keyof PlanQuestions;

export type ToPlanner =
  | { readonly type: 'ask'; readonly id: number; readonly what: PlanQuestion; readonly ask: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'forget' };
export type FromPlanner =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

const { home, database, plugins } = workerData as PlanWorkerData;
const workshop = await loadWorkshop({ home, plugins });
const models = workshop.plugins.flatMap((plugin) => Object.values(plugin.models));
const memory = new PlanMemory(models, () => {
  const store = openStore(database, { readOnly: true });
  try {
    return store.listRuns({ state: ['finished', 'stopped', 'running'] });
  } finally {
    store.close();
  }
});

type Answerers = {
  readonly [Q in PlanQuestion]: (
    ask: PlanQuestions[Q]['ask'],
    signal: AbortSignal,
  ) => PlanQuestions[Q]['answer'] | Promise<PlanQuestions[Q]['answer']>;
};
const answerers: Answerers = {
  sweep: async ({ settings, device, prices, budget }, signal) => {
    await prepareKind(device.kind);
    return await checkSweep(memory, settings, device, { prices, budget, signal });
  },
  report: async ({ config, device, prices, occupancy }) => {
    await prepareKind(device.kind);
    return {
      report: fitReport(config, device, { models, prices, samples: memory.samples }),
      programs: occupancy ? programOccupancy(config, { kind: device.kind, models }) : [],
    };
  },
  launch: async ({ configs, concurrency, force }) => {
    const { refusals, warnings, concurrency: together } = await checkLaunch(configs, { models, concurrency, force });
    return { refusals, warnings, concurrency: together };
  },
};

const open = new Map<number, AbortController>();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const send = (message: FromPlanner): void => parentPort!.postMessage(message);

async function answer(id: number, what: PlanQuestion, ask: unknown): Promise<void> {
  const controller = new AbortController();
  open.set(id, controller);
  try {
    // Lets a cancellation that came right behind the question be heard first.
    await new Promise((resolve) => setImmediate(resolve));
    controller.signal.throwIfAborted();
    const answerer = answerers[what] as (ask: unknown, signal: AbortSignal) => unknown;
    send({ id, answer: await answerer(ask, controller.signal) });
  } catch (error) {
    const { code, message } = toLabError(error);
    send({ id, code, message });
  } finally {
    open.delete(id);
  }
}

parentPort!.on('message', (message: ToPlanner) => {
  if (message.type === 'ask') void answer(message.id, message.what, message.ask);
  else if (message.type === 'cancel') open.get(message.id)?.abort();
  else memory.forgetSpeeds();
});
