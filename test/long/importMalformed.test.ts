import { expect, it } from 'vitest';
import type { Store } from '../../main/store/index.ts';
import { storeInFolder } from '../lab/exchange/storeInFolder.ts';
import { importMalformed } from '../lab/imports/malformed.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));
const SEED = Math.floor(Math.random() * 2 ** 31);

it(`takes 500 malformed files without a crash and without a half of anything, seed ${SEED}`, async () => {
  const { read, refused } = await importMalformed(store, 500, SEED);
  console.log(`${read} read, ${refused} refused`);
  expect(read + refused).toBe(500);
});
