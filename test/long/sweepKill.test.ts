import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeHome, temporaryHome } from '../cli/cli.ts';
import { killed, results, seeded, undisturbed } from '../cli/killedSweep.ts';
import type { RunResult } from '../cli/killedSweep.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 20);
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const STEPS = 80;

describe(`a sweep of 2 × 2 settings with 2 seeds, killed with SIGKILL and resumed, ${ROUNDS} rounds (SEED=${SEED})`, () => {
  const reference = temporaryHome();
  let expected: Record<string, RunResult>;

  beforeAll(async () => {
    await undisturbed(reference, STEPS);
    expected = results(reference);
  });
  afterAll(() => removeHome(reference));

  // Catches: points lost or doubled around a kill, runs trained twice or never, random streams that depend on where a run was cut.
  it.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
    'round %i equals the undisturbed sweep bit for bit',
    async (round) => {
      const home = temporaryHome();
      try {
        const report = await killed(home, reference, { steps: STEPS, random: seeded(SEED + round) });
        expect(Object.keys(expected)).toHaveLength(8);
        expect(results(home)).toEqual(expected);
        console.log(
          `round ${round}: host killed ${report.host} times, engine ${report.engine} times, ${report.kept} committed points kept`,
        );
      } finally {
        removeHome(home);
      }
    },
  );
});
