/** A coordinate check (Yang et al. 2022, appendix D): how large the activations of each layer are in the first steps of training. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Batch } from '../data/index.ts';
import type { Executor, TypedArray } from '../executors/executor.ts';
import type { Kinds } from '../kind.ts';
import { fixedBatch } from '../batch/fixedBatch.ts';
import { coordinatePrograms, microBatchOf } from '../nn/programs.ts';
import { buildTraining } from '../nn/training.ts';
import { hyperParameters } from '../optim/hyper.ts';
import { inputsOf } from './evaluate.ts';
import type { PreparedData } from './data.ts';
import { microBatches } from './probe.ts';
import { Runtime } from './runtime.ts';

export interface CoordinateParts {
  readonly config: Config;
  readonly kinds: Kinds;
  readonly data: PreparedData;
  readonly executor: Executor;
  /** Updates. */
  readonly steps: number;
  /** Called after each measurement; false ends the check. */
  readonly onStep?: (step: number) => boolean | Promise<boolean>;
}

/** mean |x| of every layer before each update and after the last, by layer in the order of computation: steps + 1 numbers. */
export type Coordinates = Readonly<Record<string, readonly number[]>>;

/**
 * Trains a new model with the peak learning rate from the first step on, and measures on the first batch of its data.
 * @throws OutOfMemoryError
 */
export async function measureCoordinates(parts: CoordinateParts): Promise<Coordinates> {
  const { kinds, data, steps } = parts;
  const config = fixedBatch(parts.config, kinds);
  const { vocabularySize, keyMasked } = data;
  const programs = buildTraining({ config, vocabularySize, keyMasked, kinds });
  const runtime = new Runtime(parts.executor, programs, coordinatePrograms(config));
  const [micro, seed] = [microBatchOf(config), config.seed as number];
  const measured: Record<string, number[]> = {};
  const measure = async (batch: Batch): Promise<void> => {
    const loaded = runtime.program({ name: 'activations', rows: batch.rows, length: batch.length });
    const { tokens, keyMask } = inputsOf(batch);
    const inputs: Record<string, TypedArray> =
      keyMask === undefined ? { tokens: tokens! } : { tokens: tokens!, keyMask };
    for (const [layer, [size]] of Object.entries(await runtime.session.run(loaded, inputs)))
      (measured[layer] ??= []).push(size!);
  };
  try {
    runtime.initialize(seed);
    const first = data.rows(0, micro);
    for (let step = 0; step <= steps; step++) {
      await measure(first);
      if ((await parts.onStep?.(step)) === false || step === steps) break;
      const hyper = hyperParameters(config, programs, () => 1, { step, tokens: 0 });
      await runtime.step(step, seed, microBatches(config, data, step), hyper);
    }
    return measured;
  } finally {
    runtime.dispose();
  }
}
