/**
 * The one way in which runs come to be: check → data → create → queue. The command line and the app go it with the same steps; they differ
 * in who does the long work (tools), how progress is shown, and when the queue takes over.
 *
 *     const ready = await prepareLaunch(tools, configs, options);     // nothing exists yet; everything that can be wrong is said here
 *     const { sweep, runs } = createSweep(store, ready, { spec, plan, … });   // queued; all of it or nothing. One run: store.createRun
 */
import { availableParallelism } from 'node:os';
import type { Draft } from '../../preload/contract/draft.ts';
import type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { selectExecutor } from '../engine/executors/select.ts';
import type { Store } from '../store/index.ts';
import { prepareDatasets } from './datasets/datasets.ts';
import type { DatasetOptions } from './datasets/datasets.ts';
import { checkLaunch } from './fit/index.ts';
import type { LaunchCheck, PlanOptions } from './fit/index.ts';
import { cardsFor, findCards } from './queue/places/cards.ts';
import type { Cards } from './queue/places/cards.ts';
import { defaultPlaces } from './queue/places/default.ts';
import { sweepToYaml } from './sweeps/index.ts';
import type { SweepPlan } from './sweeps/index.ts';
import { precisionOf } from '../engine/nn/precision.ts';

/** The long work of a launch. A host has threads and processes for it. */
export interface LaunchTools {
  /** Plans the memory of all configurations on their devices. */
  check(
    configs: readonly Config[],
    options: { readonly concurrency: number; readonly force: boolean },
    signal?: AbortSignal,
  ): Promise<Pick<LaunchCheck, 'refusals' | 'warnings' | 'limit'>>;
  /** Makes sure that the cache has the data of all configurations. @throws DataError, which names the setting */
  prepare(configs: readonly Config[], watch: DataWatch, signal?: AbortSignal): Promise<unknown>;
  /** Default: those of this machine. */
  readonly cards?: () => Promise<Cards>;
}

/** Told how the data comes along. */
export type DataWatch = Pick<DatasetOptions, 'onProgress' | 'onReady'>;

/** In this process. */
export function directTools({
  cache,
  catalog,
}: Pick<PlanOptions, 'catalog'> & { readonly cache: string }): LaunchTools {
  return {
    check: (configs, options, signal) => checkLaunch(configs, { catalog, cacheDir: cache, signal, ...options }),
    prepare: (configs, { onProgress, onReady }, signal) =>
      prepareDatasets(configs, {
        cacheDir: cache,
        onProgress,
        onReady,
        ...(catalog === undefined ? {} : { kinds: catalog }),
        ...(signal === undefined ? {} : { signal }),
      }),
  };
}

export interface LaunchOptions {
  /** Runs at a time, where somebody has said so. Default: one for each card, or as many as the cores carry. */
  readonly places?: number;
  /** That wish counts for the sweep whenever it goes on. */
  readonly keepPlaces?: boolean;
  /** Starts also what does not fit by the plan. */
  readonly force?: boolean;
  /** The limit that was found when the sweep was launched first; undefined: to be found now. */
  readonly limit?: number | null;
  readonly signal?: AbortSignal;
  readonly watch?: DataWatch;
  /** Asked when memory is known and before the data is made; false ends the launch. */
  readonly review?: (ready: Ready) => boolean | Promise<boolean>;
}

/** What is known of runs that may start. */
export interface Ready {
  /** Runs at a time now. */
  readonly places: number;
  /** Runs that may train side by side on a device at all while one of these does; null: no limit. */
  readonly limit: number | null;
  /** For people. */
  readonly warnings: readonly string[];
}

/** Runs that do not fit into the memory of their device. Nothing was started. */
export class LaunchRefused extends Error {
  override readonly name = 'LaunchRefused';
  readonly refusals: LaunchCheck['refusals'];

  constructor(refusals: LaunchCheck['refusals']) {
    super(refusals.map(({ message }) => message).join('\n'));
    this.refusals = refusals;
  }
}

/**
 * Finds everything that can be wrong with runs before one of them exists: device, memory, data, in this order.
 * @returns undefined when the review said no
 * @throws ExecutorUnavailableError, NoDeviceError, LaunchRefused, DataError; the reason of the signal
 */
export async function prepareLaunch(
  tools: LaunchTools,
  configs: readonly Config[],
  options: LaunchOptions = {},
): Promise<Ready | undefined> {
  const { force = false, signal, review, watch = {} } = options;
  const threads = await threadsOf(configs);
  const cards = cardsFor(configs, await (tools.cards ?? findCards)());
  signal?.throwIfAborted();
  const usual = cards === undefined ? defaultPlaces(configs.length, availableParallelism(), threads) : cards;
  const wanted = options.places ?? Math.min(configs.length, usual);
  // Each card has memory of its own.
  const check = await tools.check(configs, { concurrency: Math.ceil(wanted / (cards ?? 1)), force }, signal);
  if (check.refusals.length > 0) throw new LaunchRefused(check.refusals);
  const ready = readyFor(wanted, cards ?? 1, check, options);
  if (review !== undefined && !(await review(ready))) return undefined;
  await tools.prepare(configs, watch, signal);
  signal?.throwIfAborted();
  return ready;
}

/** @param devices among which the runs are shared out; the limit is that of one */
function readyFor(
  wanted: number,
  devices: number,
  check: Pick<LaunchCheck, 'warnings' | 'limit'>,
  options: LaunchOptions,
): Ready {
  const { warnings } = check;
  // Somebody who names a number for this sweep gets it, also where the plan would have taken fewer.
  if (options.keepPlaces === true && options.places !== undefined)
    return { places: wanted, limit: Math.ceil(wanted / devices), warnings };
  const limit = options.limit === undefined ? check.limit : options.limit;
  return { places: Math.min(wanted, (limit ?? Infinity) * devices), limit, warnings };
}

/** The most threads that one of the runs uses. @throws ExecutorUnavailableError naming the setting and what could be chosen instead */
async function threadsOf(configs: readonly Config[]): Promise<number> {
  const wanted = new Map(configs.map((config) => [`${config.device} ${precisionOf(config)}`, config]));
  let threads = 1;
  for (const config of wanted.values()) {
    const { executor } = await selectExecutor(config.device as string, precisionOf(config));
    threads = Math.max(threads, executor.device.threads);
  }
  return threads;
}

export interface NewLaunch {
  readonly spec: Draft;
  readonly plan: SweepPlan;
  /** The definition as the user wrote it; default: written from `spec`. */
  readonly yaml?: string;
  readonly codeVersion: string;
}

/** Creates a sweep with all of its runs, queued. */
export function createSweep(
  store: Store,
  { limit }: Pick<Ready, 'limit'>,
  { spec, plan, yaml, codeVersion }: NewLaunch,
): { readonly sweep: SweepRecord; readonly runs: readonly RunRecord[] } {
  const { settings, dropped, duplicates, combinations, seeds, warnings } = plan;
  const sweep = {
    name: spec.name || defaultName(spec),
    spec,
    yaml: yaml ?? sweepToYaml(spec),
    plan: { settings, dropped, duplicates, combinations, seeds, warnings },
    concurrencyLimit: limit,
  };
  return store.createSweep(
    sweep,
    plan.runs.map((run) => ({ ...run, codeVersion })),
  );
}

/** `quick: depth × width`, from what is varied. */
function defaultName({ parameters, recipe }: Draft): string {
  const varied = Object.entries(parameters)
    .filter(([, { value }]) => value === undefined)
    .map(([name]) => name.slice(name.lastIndexOf('.') + 1));
  return [recipe ?? '', varied.join(' × ') || 'seeds'].filter(Boolean).join(': ');
}
