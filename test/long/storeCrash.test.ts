import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashRound } from '../store/crash.ts';
import { newRun, open, randomNumbers, temporaryFolder } from '../store/support.ts';

test('40 × kill -9 lose no acknowledged point (catches: rare moments of a commit, a checkpoint or a level)', async () => {
  const path = join(temporaryFolder(), 'runs.db');
  const store = open(path);
  const { id } = store.createRun(newRun());
  store.close();
  const random = randomNumbers(11);
  let found = 0;
  let inFlight = 0;
  for (let round = 0; round < 40; round++) {
    const result = await crashRound(path, id, random);
    expect(result.found).toBeGreaterThanOrEqual(Math.max(found, result.acknowledged));
    found = result.found;
    if (result.inFlight) inFlight++;
  }
  console.log(`store: 40 kills, ${inFlight} of them with points on their way, ${found} steps, all right`);
  // Otherwise the kills missed the moments that matter.
  expect(inFlight).toBeGreaterThan(5);
});
