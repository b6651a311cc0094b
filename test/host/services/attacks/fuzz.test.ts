import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseSweep } from '../../../../main/lab/sweeps/index.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { finishing, TestLab } from '../support.ts';
import { fuzz } from './fuzz.ts';
import { oddYaml } from './shapes.ts';
import { fuzzUploads } from './uploads.ts';

const lab = new TestLab();
beforeAll(() => lab.open(finishing, { paused: true }));
afterAll(() => lab.close());

it(`malformed calls get typed errors, never internal ones, and the lab goes on (seed ${SEED})`, async () => {
  await fuzz(lab, random(), SEED, 400);
});

it(`imports of malformed files by malformed calls leave nothing half, and no file anywhere (seed ${SEED})`, async () => {
  await fuzzUploads(lab, random(SEED + 2), SEED, 5);
});

it(`random YAML is read or refused with a place, never thrown on (seed ${SEED})`, () => {
  const pick = random(SEED + 1);
  for (let round = 0; round < 300; round++) {
    const text = oddYaml(pick);
    const { sweep, problems } = parseSweep(text);
    expect(sweep === undefined, JSON.stringify(text)).toBe(problems.length > 0);
    for (const { message } of problems) expect(message.length, JSON.stringify(text)).toBeLessThan(5000);
  }
});
