/** Malformed files of every format, read by the command line and sent by pages. SWEEPLAB_TEST_SEED repeats a round. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../main/store/index.ts';
import { fuzzUploads } from '../host/services/attacks/uploads.ts';
import { finishing, TestLab } from '../host/services/support.ts';
import { storeInFolder } from '../lab/exchange/storeInFolder.ts';
import { importMalformed } from '../lab/imports/malformed.ts';
import { random, SEED } from '../oracles/random.ts';
import { shareOf } from './share.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));
const lab = new TestLab();
beforeAll(() => lab.open(finishing, { paused: true }));
afterAll(() => lab.close());
const FILES = shareOf(500, 10);

it(`takes ${FILES} malformed files without a crash and without a half of anything, seed ${SEED}`, async () => {
  const { read, refused } = await importMalformed(store, FILES, SEED);
  console.log(`${read} read, ${refused} refused`);
  expect(read + refused).toBe(FILES);
});

it(`takes ${FILES} of them from pages, with calls that are wrong too, seed ${SEED}`, async () => {
  await fuzzUploads(lab, random(), SEED, FILES);
});
