import { beforeAll, describe, expect, test } from 'vitest';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import { SEED } from '../../oracles/random.ts';
import { buildCublas, whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatorControls } from './harness.ts';
import { expectPlanned, fromRecipe, opened, POLICIES, recipes, takenBytes } from './planned.ts';

const why = whyNoEmulator();
const GIB = 2 ** 30;
// Models of any size; nothing is computed.
process.env['EMU_UNTOUCHED'] = '1';
process.env['EMU_MEMORY'] = String(2 ** 44);

describe.skipIf(why !== undefined)(`the plan is what a GPU gives${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  // Builds it.
  beforeAll(emulatedDevice, 300_000);

  // Catches a plan that differs from the allocation by a single byte. All precisions of all recipes: test/long/cudaMemory.test.ts.
  test.for(recipes.map(({ name }, i) => [name, POLICIES[(SEED + i) % POLICIES.length]!] as const))(
    `recipe %s, %o (seed ${SEED})`,
    { timeout: 60_000 },
    async ([name, policy]) => {
      const config = fromRecipe(name, policy);
      await expectPlanned(config);
    },
  );

  // Catches a plan that was made for another multiplication than the run's.
  test('with cuBLASLt too', { timeout: 60_000 }, async () => {
    const config = fromRecipe('gpt2-124m', { 'precision.policy': 'bf16' });
    await expectPlanned(config, await buildCublas());
    const arena = (library: boolean) => fitPlan(config, { kind: 'cuda', profile: { library } }).arena.bytes;
    expect(arena(true)).toBeGreaterThan(arena(false));
  });

  // Catches a plan that promises too much, or too little, on a card of any size.
  test.for([8, 12, 24, 80])(
    'on a card of %i GiB the largest planned micro-batch is given, and the next is refused',
    { timeout: 60_000 },
    async (size) => {
      const of = (micro: number) =>
        fromRecipe('gpt2-124m', { 'batch.sequences': micro, 'batch.micro': 0, 'eval.batch': 1 });
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
      controls.memory((await takenBytes()) + size * GIB);
      (await opened(of(low))).session.dispose();
      await expect(opened(of(high))).rejects.toThrow(OutOfMemoryError);
      controls.memory(2 ** 44);
    },
  );
});
