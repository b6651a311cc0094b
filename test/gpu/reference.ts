/** Runs of the quick start that devices are compared by. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Executor } from '../../main/engine/executors/executor.ts';
import { prepareData } from '../../main/engine/train/dataset.ts';
import { builtInRegistry, loadRecipe, resolveConfig } from '../../main/lab/settings/index.ts';
import { FakeHost, stopDuring, tensorsOf, train } from '../engine/train/laboratory.ts';

export interface Reference {
  /** Training loss of each step. */
  readonly losses: readonly number[];
  /** Hash of all tensors at the end. */
  readonly bits: string;
}

export interface ReferenceOptions {
  readonly policy: string;
  readonly steps: number;
  /** For checkpoints; made where it is missing. */
  readonly folder: string;
  /** Breaks off after so many steps and resumes. */
  readonly stopAfter?: number;
}

export async function referenceRun(executor: Executor, options: ReferenceOptions): Promise<Reference> {
  const recipe = await loadRecipe('quick');
  const { config } = resolveConfig({
    registry: builtInRegistry(),
    recipe: recipe.source,
    overrides: {
      'precision.policy': options.policy,
      'stop.steps': options.steps,
      'schedule.warmup_steps': 1,
      'eval.tokens': 1024,
      seed: 1,
    },
  });
  const { folder, stopAfter } = options;
  await mkdir(folder, { recursive: true });
  const host = new FakeHost();
  const given = { config, folder, host, prepare: prepareData, executor };
  if (stopAfter !== undefined && stopAfter > 0) await train({ ...given, onProgram: stopDuring(stopAfter) });
  const { end } = await train({ ...given, resume: stopAfter !== undefined });
  if (end.state !== 'finished') throw new Error(`the run ended ${end.state}: ${JSON.stringify(end.reason)}`);
  const losses = [...(host.series.get('train/loss') ?? [])].toSorted(([a], [b]) => a - b).map(([, loss]) => loss);
  const hash = createHash('sha256');
  for (const [name, values] of Object.entries(await tensorsOf(host)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return { losses, bits: hash.digest('hex') };
}
