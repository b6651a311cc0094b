import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashRound } from './crash.ts';
import { newRun, open, randomNumbers, temporaryFolder } from './support.ts';

test('kill -9 loses no acknowledged point (catches: acknowledging before the commit, half-written batches)', async () => {
  const path = join(temporaryFolder(), 'runs.db');
  const store = open(path);
  const { id } = store.createRun(newRun());
  store.close();
  const random = randomNumbers(5);
  let found = 0;
  for (let round = 0; round < 3; round++) {
    const result = await crashRound(path, id, random);
    expect(result.found).toBeGreaterThan(found);
    found = result.found;
  }
});
