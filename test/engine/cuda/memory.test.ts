import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import { SEED } from '../../oracles/random.ts';
import { buildCublas, whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatorControls } from './harness.ts';
import { CARD_SIZES, expectLargest, expectPlanned, fromRecipe, POLICIES, recipes } from './planned.ts';

const why = whyNoEmulator();
// Models of any size; nothing is computed.
process.env['EMU_UNTOUCHED'] = '1';
process.env['EMU_MEMORY'] = String(2 ** 44);

describe.skipIf(why !== undefined)(`the plan is what a GPU gives${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice);

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

  // Catches a plan that promises too much, or too little, on a card of any size. All recipes: test/long/cudaMemory.test.ts.
  test.for(CARD_SIZES)(
    'on a card of %i bytes the largest planned micro-batch is given, and the next is refused',
    { timeout: 60_000 },
    async (size) => {
      onTestFinished(() => emulatorControls().memory(2 ** 44));
      expect((await expectLargest(fromRecipe('gpt2-124m', {}), size))!.rows).toBeGreaterThan(0);
    },
  );
});
