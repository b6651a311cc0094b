/** Tens of thousands of malformed calls and texts; `npm test` has a few hundred. SWEEPLAB_TEST_SEED repeats a round. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseSweep } from '../../main/lab/sweeps/index.ts';
import { fuzz } from '../host/services/attacks/fuzz.ts';
import { oddYaml } from '../host/services/attacks/shapes.ts';
import { finishing, TestLab } from '../host/services/support.ts';
import { random, SEED } from '../oracles/random.ts';

const CALLS = 20_000;
const TEXTS = 20_000;
const lab = new TestLab();
beforeAll(() => lab.open(finishing, { paused: true }));
afterAll(() => lab.close());

it(`${CALLS} malformed calls (seed ${SEED})`, async () => {
  await fuzz(lab, random(), SEED, CALLS);
});

it(`${TEXTS} random YAML texts (seed ${SEED})`, () => {
  const pick = random(SEED + 1);
  for (let round = 0; round < TEXTS; round++) {
    const text = oddYaml(pick);
    const { sweep, problems } = parseSweep(text);
    expect(sweep === undefined, JSON.stringify(text)).toBe(problems.length > 0);
  }
});
