/** Runs as they are launched, on the emulated GPU. */
import { expect } from 'vitest';
import { fixedBatch } from '../../../main/engine/batch/fixedBatch.ts';
import { isKeyMasked, vocabularyOf } from '../../../main/engine/data/index.ts';
import { profileOf } from '../../../main/engine/executors/cuda/products.ts';
import { programsOf } from '../../../main/engine/nn/programs.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import { fitPlan, largestOverall } from '../../../main/lab/fit/index.ts';
import type { FitDevice } from '../../../main/lab/fit/index.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { emulatedExecutor, emulatorControls } from './harness.ts';

const registry = builtInRegistry();
export const recipes = await listRecipes();

/** A recipe's settings and others on top. */
export function fromRecipe(name: string, overrides: Config): Config {
  const recipe = recipes.find((each) => each.name === name)!.source;
  return resolveConfig({ registry, recipe, overrides }).config;
}

export const trainingOf = (config: Config) =>
  buildTraining({ config, vocabularySize: vocabularyOf(config), keyMasked: isKeyMasked(config) });

/** Opens what a run loads. @param cublas path of a library that multiplies; none unless given @throws OutOfMemoryError */
export async function opened(config: Config, cublas?: string) {
  const training = trainingOf(config);
  const session = (await emulatedExecutor(undefined, cublas)).open(training.states);
  try {
    const programs = programsOf(config).map((call) => session.load(call.build(training)));
    return { session, arenas: programs.map(({ plan }) => plan.arenaBytes) };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Bytes of the device that are taken now. */
export async function takenBytes(): Promise<number> {
  await emulatedExecutor();
  return emulatorControls().report().used;
}

/** Opens what a run would load, and compares every byte with the plan that the user is shown. */
export async function expectPlanned(config: Config, cublas?: string): Promise<void> {
  const before = await takenBytes();
  const { session, arenas } = await opened(config, cublas);
  const plan = fitPlan(config, { kind: 'cuda', profile: profileOf(90, cublas !== undefined) });
  expect(plan.programs.map(({ arenaBytes }) => arenaBytes)).toEqual(arenas);
  expect(session.memory()).toEqual({
    persistentBytes: plan.persistent.bytes,
    peakTemporaryBytes: Math.max(...arenas),
    deviceBytes: plan.plannedBytes,
  });
  expect((await takenBytes()) - before).toBe(plan.plannedBytes);
  session.dispose();
  expect(await takenBytes()).toBe(before);
}

/** Bytes of the cards on which the largest micro-batch is looked for. */
export const CARD_SIZES = [8, 12, 24, 80].map((size) => size * 2 ** 30);

/**
 * The largest micro-batch, of a batch that does not change over the run, that is planned for a card of so many bytes is given, and one row
 * more is refused.
 * @returns its rows, and what is left over by the plan; undefined where not even one row fits
 */
export async function expectLargest(config: Config, bytes: number) {
  const device = { kind: 'cuda', availableBytes: bytes } as FitDevice;
  const options = { kind: 'cuda', base: { bytes: 0, basis: 'measured', what: '' } } as const;
  const { largest, next } = largestOverall(config, device, options, 'exact');
  const whole = fixedBatch(config);
  const of = (rows: number): Config => ({ ...whole, 'batch.sequences': rows, 'batch.micro': 0, 'eval.batch': 0 });
  const controls = emulatorControls();
  controls.memory((await takenBytes()) + bytes);
  if (largest !== null) (await opened(of(largest.sequences))).session.dispose();
  if (next !== null) {
    expect(next.sequences).toBe((largest?.sequences ?? 0) + 1);
    await expect(opened(of(next.sequences))).rejects.toThrow(OutOfMemoryError);
  }
  return largest === null ? undefined : { rows: largest.sequences, spare: bytes - largest.bytes };
}

/** Every precision with every recomputation. */
export const POLICIES = ['fp32', 'bf16', 'fp16', 'pure-bf16'].flatMap((policy) =>
  ['none', 'attention', 'block'].map((recomputation) => ({
    'precision.policy': policy,
    'precision.recompute': recomputation,
  })),
);
