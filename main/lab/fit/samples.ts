/** Earlier runs that tell how fast this one will be. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { FitDevice } from './devices.ts';
import { modelKey, optimizerKey } from './memo.ts';
import type { FindSamples, Sample } from './time.ts';
import { microBatchOf } from './programs.ts';

/** Settings that decide the speed of a step on a given device. */
export function speedKey(config: Config): string {
  return `${modelKey(config)} ${optimizerKey(config)} batch=${config['batch.sequences']}/${microBatchOf(config)}`;
}

/** Median of the logged tokens per second of a run; undefined when it logged none. */
export type SpeedOf = (run: RunRecord) => number | undefined;

const lastLogged: SpeedOf = (run) => run.summary.tokens_per_second ?? undefined;

/** The first steps compile and warm caches; shorter runs say little. */
const LEAST_STEPS = 5;

/**
 * A look-up over the run database: runs of the same model, batch, optimizer and precision on the same executor and processor (or
 * GPU). `runs` is asked once. @param speedOf default: the last logged `tokens_per_second`
 */
export function samplesFrom(runs: () => readonly RunRecord[], speedOf: SpeedOf = lastLogged): FindSamples {
  let byKey: Map<string, RunRecord[]> | undefined;
  return (config, device) => {
    byKey ??= Map.groupBy(
      runs().filter((run) => run.steps >= LEAST_STEPS && run.config['model.kind'] !== undefined),
      (run) => speedKey(run.config),
    );
    return (byKey.get(speedKey(config)) ?? []).flatMap((run): Sample[] => {
      if (!ranOn(run, device)) return [];
      const tokensPerSecond = speedOf(run);
      return tokensPerSecond !== undefined && tokensPerSecond > 0 ? [{ tokensPerSecond, runId: run.id }] : [];
    });
  };
}

function ranOn({ environment }: RunRecord, device: FitDevice): boolean {
  if (environment.executor !== device.kind) return false;
  if (device.kind === 'cuda' || device.kind === 'tfjs-gpu')
    return environment.device?.toString().includes(device.name) === true;
  return typeof environment.cpu === 'string' && device.name.startsWith(environment.cpu);
}
