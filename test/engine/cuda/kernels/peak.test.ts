/** What a card is measured by, on the emulated GPU. */
import { describe, expect, test } from 'vitest';
import { Random, seed } from '../../native/harness.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

describe.skipIf(why !== undefined)(
  `ceilings on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const launched = (fn: string, blocks: number) => ({
      launches: (args: Readonly<Record<string, number | string>>) => [{ fn, grid: [blocks, 1, 1] as const, args }],
    });

    // Catches a copy that leaves something out, and arithmetic that is not done.
    test('copy everything, and compute something in every thread', async () => {
      const x = new Random(1).array(4 * 777);
      const y = new Float32Array(x.length);
      await runKernel(launched('peak_copy', 2), { x, y, vectors: x.length / 4 });
      expect(y).toEqual(x);
      for (const fn of ['peak_products', 'peak_multiply_adds']) {
        const sums = new Float32Array(2 * 256).fill(NaN);
        await runKernel(launched(fn, 2), { y: sums, repeats: 2 });
        expect([...sums].filter(Number.isNaN)).toEqual([]);
      }
      const nothing = new Float32Array(1);
      await runKernel(launched('peak_nothing', 1), { y: nothing, repeats: 0 });
      expect([...nothing]).toEqual([0]);
    });
  },
);
