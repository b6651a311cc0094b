/** A short training for a check: nothing is recorded, and whoever asks chooses the batch and the learning rate of each step. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Batch } from '../data/index.ts';
import type { Executor } from '../executors/executor.ts';
import type { Kinds } from '../kind.ts';
import { fixedBatch } from '../batch/fixedBatch.ts';
import { batchPlan } from '../batch/plan.ts';
import { programsOf } from '../nn/programs.ts';
import { buildTraining } from '../nn/training.ts';
import { hyperParameters } from '../optim/hyper.ts';
import type { PreparedData } from './data.ts';
import { Runtime } from './runtime.ts';
import type { StepResult } from './runtime.ts';

export interface ProbeParts {
  readonly config: Config;
  readonly kinds: Kinds;
  readonly data: PreparedData;
  readonly executor: Executor;
  /** Most updates. */
  readonly steps: number;
  /** Which batch of the data step `step` (from 0) takes. */
  readonly batch: (step: number) => number;
  /** Whether each step says what diagnostics see of it (`log.diagnostics`). */
  readonly watch?: boolean;
  /** Learning rate of a step. */
  readonly rate: (step: number) => number;
  /** Called with what each step found before its update; false ends the probe. */
  readonly onStep: (step: number, result: StepResult) => boolean | Promise<boolean>;
}

/** What a probe trained. */
export interface Probed {
  readonly parameters: number;
  /** State and temporaries that were held. */
  readonly takenBytes: number;
}

/** The micro-batches of a step that takes batch `index` of the data, all of one size and of whole sequences. */
export function microBatches(given: Config, data: PreparedData, index: number, kinds?: Kinds): Batch[] {
  const plan = batchPlan(fixedBatch(given, kinds), kinds);
  const [shape] = plan.shapes();
  let first = index * shape!.sequences;
  return plan.micros(shape!).map((rows) => {
    const batch = data.rows(first, rows);
    first += rows;
    return batch;
  });
}

/** Trains a new model. @throws OutOfMemoryError */
export async function probe(parts: ProbeParts): Promise<Probed> {
  const { kinds, data } = parts;
  const config = fixedBatch(parts.config, kinds);
  const { vocabularySize, keyMasked } = data;
  const programs = buildTraining({ config, vocabularySize, keyMasked, kinds });
  const training = programsOf(config).filter(({ name }) => /^(?:update|accumulate|diagnose-)/u.test(name));
  const runtime = new Runtime(parts.executor, programs, training);
  const [seed, peak] = [config.seed as number, config['optimizer.lr'] as number];
  try {
    runtime.initialize(seed);
    for (let step = 0; step < parts.steps; step++) {
      const hyper = hyperParameters(config, programs, () => parts.rate(step) / peak, { step, tokens: 0 });
      const micros = microBatches(config, data, parts.batch(step), kinds);
      const found = await runtime.step(step, seed, micros, hyper, parts.watch);
      if (!(await parts.onStep(step, found))) break;
    }
    const { persistentBytes, peakTemporaryBytes } = runtime.session.memory();
    return { parameters: programs.parameterCount, takenBytes: persistentBytes + peakTemporaryBytes };
  } finally {
    runtime.dispose();
  }
}
