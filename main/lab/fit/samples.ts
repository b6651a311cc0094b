/**
 * Earlier runs that tell how fast this one will be. What disturbs a step (another program, a hot processor, the first steps) makes
 * it slower, never faster, and may last for a whole run: each run speaks by the quartiles of its steps, and `pace.ts` weighs the runs.
 */
import { batchPlan } from '../../engine/batch/plan.ts';
import { executorKind } from '../../engine/executors/index.ts';
import { builtInCatalog } from '../../engine/catalog.ts';
import type { Catalog } from '../../engine/catalog.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { FitDevice } from './devices.ts';
import { Memo } from '../../engine/memo.ts';
import { modelKey, optimizerKey } from './memo.ts';
import type { FindSamples, Sample } from './pace.ts';

const ofBatch = (name: string): boolean => /^(batch|stop)\./u.test(name);

/** Which batches the steps of a run have. Of those that change, all settings count. */
function batchKey(config: Config, catalog: Catalog): string {
  const settings = (): string => JSON.stringify(Object.entries(config).filter(([name]) => ofBatch(name)));
  try {
    const plan = batchPlan(config, catalog);
    return plan.changes
      ? settings()
      : plan
          .shapes()
          .map((shape) => plan.micros(shape).join('+'))
          .join();
  } catch {
    // An earlier run may have had a kind of a plug-in that is not here.
    return settings();
  }
}

/** Settings that decide the speed of a step on a given device. */
function speedKey(given: Config, catalog: Catalog = builtInCatalog): string {
  // Runs of earlier versions lack the settings that came later.
  const config = catalog.complete(given);
  return `${modelKey(config, catalog)} ${optimizerKey(config, catalog)} batch=${batchKey(config, catalog)}`;
}

/** Tokens per second of a run's steps: its median and quartiles. */
export type Speed = Pick<Sample, 'tokensPerSecond' | 'slow' | 'fast'>;
/** Undefined when the run logged no speed. */
export type SpeedOf = (run: RunRecord) => Speed | undefined;

const lastLogged: SpeedOf = ({ summary }) =>
  summary.tokens_per_second == null ? undefined : { tokensPerSecond: summary.tokens_per_second };

/** The first steps compile and warm caches; shorter runs say little. */
const LEAST_STEPS = 5;
/** Newer runs speak for the machine as it is now. */
const MOST_RUNS = 8;

/**
 * Median and quartiles of logged speeds, in the order of the steps; the first ones, which warm up, are left out. Evaluations are
 * not in them: the engine counts the seconds of steps alone. @returns undefined when nothing is left
 */
export function speedOfSteps(tokensPerSecond: ArrayLike<number>): Speed | undefined {
  const steady = Array.from(tokensPerSecond)
    .slice(LEAST_STEPS)
    .filter((rate) => rate > 0 && Number.isFinite(rate))
    .sort((a, b) => a - b);
  if (steady.length === 0) return undefined;
  const at = (share: number): number => steady[Math.round(share * (steady.length - 1))]!;
  return { tokensPerSecond: at(0.5), slow: at(0.25), fast: at(0.75) };
}

interface Series {
  readAll(runId: string, metric: string): { readonly value: ArrayLike<number> };
}

/** The speeds of a run's steps, from the database; of a run without them the last one that it logged. */
export function speedsIn(store: Series): SpeedOf {
  return (run) => speedOfSteps(store.readAll(run.id, 'tokens_per_second').value) ?? lastLogged(run);
}

/**
 * A look-up over the run database: the newest runs of the same model, batch, optimizer and precision on the same executor and
 * processor (or GPU). `runs` is asked once, `speedOf` only for runs that match. @param speedOf default: the last logged speed
 */
export function samplesFrom(
  runs: () => readonly RunRecord[],
  speedOf: SpeedOf = lastLogged,
  catalog: Catalog = builtInCatalog,
): FindSamples {
  let byKey: Map<string, RunRecord[]> | undefined;
  const found = new Memo<readonly Sample[]>(1024);
  return (config, device) => {
    byKey ??= Map.groupBy(
      runs().filter((run) => run.steps >= LEAST_STEPS && run.config['model.kind'] !== undefined),
      (run) => speedKey(run.config, catalog),
    );
    const key = speedKey(config, catalog);
    const alike = byKey.get(key);
    if (alike === undefined) return [];
    return found.get(`${device.kind} ${device.name} ${key}`, () =>
      alike
        .filter((run) => ranOn(run, device))
        .sort((a, b) => (b.startedAt ?? b.createdAt) - (a.startedAt ?? a.createdAt))
        .slice(0, MOST_RUNS)
        .flatMap((run): Sample[] => {
          const speed = speedOf(run);
          if (speed === undefined || !(speed.tokensPerSecond > 0)) return [];
          return [{ ...speed, runId: run.id, at: run.endedAt ?? run.startedAt ?? run.createdAt }];
        }),
    );
  };
}

function ranOn({ environment }: RunRecord, device: FitDevice): boolean {
  if (environment.executor !== device.kind) return false;
  if (executorKind(device.kind).memory === 'gpu') return environment.device?.toString().includes(device.name) === true;
  return typeof environment.cpu === 'string' && device.name.startsWith(environment.cpu);
}
