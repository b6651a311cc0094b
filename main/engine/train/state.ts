/** What a checkpoint remembers of a run beside weights and moments, and whether a run may continue from it. */
import type { Config } from '../../../preload/contract/settings.ts';
import { DIFFERENT_BITS } from '../executors/executor.ts';
import { CheckpointError } from './checkpoint.ts';
import type { CarriedPoints } from './recorder.ts';
import type { NoiseMean } from './noise.ts';
import type { LossScale } from './runtime.ts';
import type { Place } from './batches.ts';
import type { Counters } from './stopRules.ts';

export interface BestLoss {
  readonly loss: number;
  readonly step: number;
}

/** JSON-safe; stored under `state` in checkpoint.json. */
export interface RunState {
  readonly counters: Counters;
  /** Loss of the latest step, which the next one may follow; absent from earlier versions. */
  readonly loss?: number | null;
  /** Where the next step begins in the data, and what the accumulation of batches carries. Runs of earlier versions had neither. */
  readonly place?: Place;
  readonly carried?: number;
  /** Step of the latest regular evaluation; −1 before the first. */
  readonly evaluatedStep: number;
  /** `val/loss` of that evaluation. */
  readonly validationLoss: number | null;
  readonly best: BestLoss | null;
  readonly lossScale: LossScale;
  /** Name of the executor that trained; absent from earlier versions. */
  readonly executor?: string;
  /** What the executor decided, see Session; none of those of earlier versions. */
  readonly decisions?: unknown;
  /** Of the gradient, as far as it was measured; absent in checkpoints of earlier versions. */
  readonly noise?: NoiseMean;
  /** Latest value of every metric; null stands for NaN or an infinity. */
  readonly latest: Readonly<Record<string, number | null>>;
  readonly points: CarriedPoints;
  readonly config: Config;
  /** Content hash of the dataset. */
  readonly dataset: string;
}

/** Settings that may differ when a run is continued: they do not enter any weight that has already been computed. */
const MAY_CHANGE = /^(stop\.|log\.|eval\.|device$|preflight$|batch\.micro(_tokens)?$)/;

/** Throws a {@link CheckpointError} naming what differs when training cannot go on from `state` under `config` and `dataset`. */
export function checkContinues(state: RunState, config: Config, dataset: string): void {
  const names = new Set([...Object.keys(state.config), ...Object.keys(config)]);
  const differences = [...names]
    .filter((name) => !MAY_CHANGE.test(name) && state.config[name] !== config[name])
    .map((name) => `${name} was ${String(state.config[name])} and is ${String(config[name])}`);
  if (differences.length > 0)
    throw new CheckpointError(`the run cannot continue from its checkpoint: ${differences.join('; ')}`);
  if (state.dataset !== dataset)
    throw new CheckpointError(
      'the run cannot continue from its checkpoint: the text of data.corpus (or its tokenizer) has changed since',
    );
}

/** What is to be said where a run goes on elsewhere than it was; undefined where it has the same bits. */
export const otherExecutor = ({ executor }: Pick<RunState, 'executor'>, now: string): string | undefined =>
  executor === undefined || executor === now
    ? undefined
    : `it was trained on ${executor} so far, and ${now} goes on: ${DIFFERENT_BITS}`;
