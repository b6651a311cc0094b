import { describe, expect, test } from 'vitest';
import { granules } from '../../../main/engine/executors/cuda/granules.ts';
import { missingKernels, compileForCuda } from '../../../main/engine/executors/cuda/target.ts';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import { isKeyMasked, vocabularyOf } from '../../../main/engine/data/index.ts';
import { programsOf } from '../../../main/engine/nn/programs.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedExecutor, emulatorControls } from './harness.ts';

const why = whyNoEmulator();
const GIB = 2 ** 30;
// Of models of any size; nothing is computed.
process.env['EMU_UNTOUCHED'] = '1';
process.env['EMU_MEMORY'] = String(2 ** 44);

const registry = builtInRegistry();
const recipes = await listRecipes();
const settings = (recipe: (typeof recipes)[number], changes: Config): Config => ({
  ...resolveConfig({ registry, recipe: recipe.source }).config,
  ...changes,
});

/** Opens what a run loads. */
async function loaded(config: Config) {
  const training = buildTraining({ config, vocabularySize: vocabularyOf(config), keyMasked: isKeyMasked(config) });
  const session = (await emulatedExecutor()).open(training.states);
  try {
    const programs = programsOf(config).map((call) => session.load(call.build(training)));
    return { session, arenas: programs.map(({ plan }) => plan.arenaBytes) };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Kernels that the programs of a run call and that are not written. */
function missing(config: Config): string[] {
  const training = buildTraining({ config, vocabularySize: vocabularyOf(config), keyMasked: isKeyMasked(config) });
  return [...new Set(programsOf(config).flatMap((call) => [...missingKernels(compileForCuda(call.build(training)))]))];
}

const POLICIES = ['fp32', 'bf16', 'fp16', 'pure-bf16'].flatMap((policy) =>
  ['none', 'attention', 'block'].map((recomputation) => [policy, recomputation] as const),
);

describe.skipIf(why !== undefined)(`the plan is what a GPU gives${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  // Catches a plan that differs from the allocation by a single byte, for every recipe as it would be launched.
  test.for(recipes.map((recipe) => [recipe.name, recipe] as const))('recipe %s', async ([, recipe], { skip }) => {
    for (const [policy, recomputation] of POLICIES) {
      const config = settings(recipe, { 'precision.policy': policy, 'precision.recompute': recomputation });
      const lacking = missing(config);
      if (lacking.length > 0) skip(`needs ${lacking.join(', ')}`);
      const before = usedBytes();
      const { session, arenas } = await loaded(config);
      const plan = fitPlan(config, { kind: 'cuda' });
      expect(plan.programs.map(({ arenaBytes }) => arenaBytes)).toEqual(arenas);
      expect(session.memory()).toEqual({
        persistentBytes: plan.persistent.bytes,
        peakTemporaryBytes: Math.max(...arenas),
        deviceBytes: plan.plannedBytes,
      });
      expect((await usedBytes()) - (await before), `${policy}, recompute ${recomputation}`).toBe(plan.plannedBytes);
      session.dispose();
    }
  });

  // Catches a plan that promises too much, or too little, on a card of any size.
  test.for([8, 12, 24, 80])(
    'on a card of %i GiB the largest planned micro-batch is given, and the next is refused',
    async (size, { skip }) => {
      const recipe = recipes.find(({ name }) => name === 'gpt2-124m')!;
      const of = (micro: number) => settings(recipe, { 'batch.sequences': micro, 'batch.micro': 0, 'eval.batch': 1 });
      const lacking = missing(of(1));
      if (lacking.length > 0) skip(`needs ${lacking.join(', ')}`);
      const fits = (micro: number) => fitPlan(of(micro), { kind: 'cuda' }).plannedBytes <= size * GIB;
      let [low, high] = [1, 2];
      while (fits(high)) [low, high] = [high, 2 * high];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (fits(middle)) low = middle;
        else high = middle;
      }
      expect(fits(low)).toBe(true);
      const controls = emulatorControls();
      controls.memory((await usedBytes()) + size * GIB);
      (await loaded(of(low))).session.dispose();
      await expect(loaded(of(high))).rejects.toThrow(OutOfMemoryError);
      controls.memory(2 ** 44);
    },
  );

  test('a granule is what the driver counts in', () => expect([granules(0), granules(1)]).toEqual([0, 2 ** 21]));
});

async function usedBytes(): Promise<number> {
  await emulatedExecutor();
  return emulatorControls().report().used;
}
