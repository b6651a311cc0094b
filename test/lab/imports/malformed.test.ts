import { expect, it } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { importMalformed } from './malformed.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));
const SEED = Math.floor(Math.random() * 2 ** 31);

it(`takes malformed files without a crash and without a half of anything, seed ${SEED} (500 in test/long)`, async () => {
  const { read, refused } = await importMalformed(store, 52, SEED);
  expect(read + refused).toBe(52);
  // A test that only ever sees one of both tests half.
  expect(Math.min(read, refused)).toBeGreaterThan(0);
});
