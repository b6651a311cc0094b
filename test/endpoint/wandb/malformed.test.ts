import { expect, it } from 'vitest';
import { random, SEED } from '../../oracles/random.ts';
import { listening } from './listening.ts';
import { sendDamaged } from './malformed.ts';

it(`answers 500 damaged requests and stores nothing of those that it refuses (seed ${SEED}; would catch a crash, a batch taken by half, a file outside)`, async () => {
  // On a busy machine it takes minutes: nobody falls silent meanwhile.
  const lab = await listening({ now: Date.now() });
  const { refused, taken } = await sendDamaged(lab, random(), 500);
  // Both happen, or the damage says nothing.
  expect(refused).toBeGreaterThan(50);
  expect(taken).toBeGreaterThan(50);
}, 60_000);
