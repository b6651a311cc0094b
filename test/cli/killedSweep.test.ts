import { afterAll, expect, it } from 'vitest';
import { removeHome, temporaryHome } from './cli.ts';
import { killed, results, seeded, undisturbed } from './killedSweep.ts';

const STEPS = 40;
const homes = [temporaryHome(), temporaryHome()];
afterAll(() => homes.forEach(removeHome));

// One round of test/long/sweepKill.test.ts. Catches: points lost or doubled around a kill, runs trained twice or never.
it('a sweep killed with SIGKILL (host, then engine) and resumed equals an undisturbed one bit for bit', async () => {
  const [reference, home] = homes;
  await undisturbed(reference, STEPS);
  const report = await killed(home, reference, { steps: STEPS, random: seeded(7) });
  expect(report.host).toBeGreaterThanOrEqual(1);
  expect(results(home)).toEqual(results(reference));
  expect(Object.keys(results(home))).toHaveLength(8);
});
