import { describe, expect, test } from 'vitest';
import { placesByDefinition } from '../../../oracles/experts.ts';
import { Random, seed } from '../../native/harness.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

describe.skipIf(why !== undefined)(
  `experts on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(9);

    // Catches rows that change their order, a block that begins where another does, and experts without rows.
    test('places of rows, with choices too few and too many', async () => {
      for (const rows of [1, random.int(2, 128), random.int(129, 500)])
        for (const experts of [1, random.int(2, 12), random.int(250, 270)]) {
          const active = random.int(1, Math.min(4, experts));
          const chosen = new Float32Array(rows * experts);
          for (let row = 0; row < rows; row++)
            for (let choice = random.uniform() < 0.9 ? active : random.int(0, active + 1); choice > 0; choice--)
              chosen[row * experts + random.int(0, experts - 1)] = random.uniform() + 0.1;
          const [token, source, place] = [0, 1, 2].map(() => new Int32Array(rows * active).fill(-9));
          const ends = new Int32Array(experts).fill(-9);
          const pointers = { chosen, token: token!, source: source!, place: place!, ends };
          await runKernel('expert_places', { ...pointers, rows, experts, active });
          const want = placesByDefinition(chosen, experts, active).map((numbers) => [...numbers]);
          const what = `${rows} rows, ${active} of ${experts}`;
          expect(
            [token, source, place, ends].map((numbers) => [...numbers!]),
            what,
          ).toEqual(want);
        }
    });
  },
);
