import { describe, test } from 'vitest';
import { whyNoEmulator } from '../engine/cuda/emulator/build.ts';
import { expectPlanned, fromRecipe, POLICIES, recipes } from '../engine/cuda/planned.ts';

const why = whyNoEmulator();
process.env['EMU_UNTOUCHED'] = '1';
process.env['EMU_MEMORY'] = String(2 ** 44);

describe.skipIf(why !== undefined)(`the plan is what a GPU gives, long${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  // Catches a plan that differs from the allocation by a single byte, for every recipe as it would be launched.
  test.each(recipes.map(({ name }) => name))('recipe %s', { timeout: 600_000 }, async (name) => {
    for (const policy of POLICIES) await expectPlanned(fromRecipe(name, policy));
  });
});
