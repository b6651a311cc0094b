import { beforeAll, describe, expect, test } from 'vitest';
import { whyNoEmulator } from '../engine/cuda/emulator/build.ts';
import { emulatedDevice, emulatorControls } from '../engine/cuda/harness.ts';
import { CARD_SIZES, expectLargest, expectPlanned, fromRecipe, POLICIES, recipes } from '../engine/cuda/planned.ts';
import { SEED } from '../oracles/random.ts';
import { shareOf } from './share.ts';

const why = whyNoEmulator();
process.env['EMU_UNTOUCHED'] = '1';
process.env['EMU_MEMORY'] = String(2 ** 44);

describe.skipIf(why !== undefined)(`the plan is what a GPU gives, long${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice, 300_000);

  // Every precision with every recomputation, or some of them.
  const wanted = Array.from({ length: shareOf(POLICIES.length) }, (_, i) => POLICIES[(SEED + i) % POLICIES.length]!);

  // Catches a plan that differs from the allocation by a single byte, for every recipe as it would be launched; and one that promises too much, or
  // too little, on a card of any size.
  test.each(recipes.map(({ name }) => name))(`recipe %s (seed ${SEED})`, { timeout: 3_600_000 }, async (name) => {
    for (const policy of wanted) {
      emulatorControls().memory(2 ** 44);
      await expectPlanned(fromRecipe(name, policy));
      const found: string[] = [];
      for (const size of CARD_SIZES) {
        const largest = await expectLargest(fromRecipe(name, policy), size);
        found.push(`${size / 2 ** 30} GiB: ${largest === undefined ? 'none' : `${largest.rows} rows`}`);
      }
      const { 'precision.policy': precision, 'precision.recompute': recompute } = policy;
      console.log(`${name} ${precision} recompute ${recompute}: ${found.join(', ')}`);
    }
    expect(wanted.length).toBeGreaterThan(0);
  });
});
