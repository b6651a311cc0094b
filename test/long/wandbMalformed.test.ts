import { expect, it } from 'vitest';
import { random, SEED } from '../oracles/random.ts';
import { listening } from '../endpoint/wandb/listening.ts';
import { sendDamaged } from '../endpoint/wandb/malformed.ts';

it(`answers 5,000 damaged requests of scripts (seed ${SEED}; would catch what 500 do not meet)`, async () => {
  // On a busy machine it takes minutes: nobody falls silent meanwhile.
  const lab = await listening({ now: Date.now() });
  const { refused, taken } = await sendDamaged(lab, random(SEED + 1), 5000);
  expect(refused).toBeGreaterThan(500);
  expect(taken).toBeGreaterThan(500);
}, 900_000);
