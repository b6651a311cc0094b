import { describe, expect, test } from 'vitest';
import { sparsekByDefinition } from '../../../oracles/sparsek.ts';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

describe.skipIf(why !== undefined)(
  `SparseK on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(10);

    /** Where the document of each position begins. */
    function documents(batch: number, t: number): Int32Array {
      const starts = new Int32Array(batch * t);
      for (let at = 0; at < batch * t; at++)
        starts[at] = at % t > 0 && random.uniform() < 0.95 ? starts[at - 1]! : at % t;
      return starts;
    }

    // Catches ties that are ranked by the wrong side, prefixes of another sequence or document, and thresholds of the wrong scores.
    test('thresholds, expiry and gradients', async () => {
      for (let round = 0; round < 10; round++) {
        const [batch, t] = [random.int(1, 3), random.pick([1, 33, random.int(2, 90)])];
        const k = random.int(1, 12);
        const starts = round % 2 === 0 ? null : documents(batch, t);
        // Some sequences have scores that are equal, some that are far apart.
        const [steps, scale] = [random.pick([0, 4]), random.pick([0.3, 2, 20])];
        const scores = random
          .array(batch * t, scale)
          .map((value) => (steps > 0 ? Math.round(value * steps) / steps : value));
        const thresholds = new Float32Array(batch * t).fill(NaN);
        const expiry = new Int32Array(batch * t).fill(-9);
        await runKernel('sparse_select', { scores, starts, thresholds, expiry, batch, t, k });
        const [wantThresholds, wantExpiry] = sparsekByDefinition(scores, t, k, starts ?? undefined);
        const what = `${batch} × ${t}, k ${k}, scores of ${scale} in steps of ${steps}${starts === null ? '' : ', documents'}`;
        expectClose(thresholds, wantThresholds, 2e-6, 1 + scale, `thresholds of ${what}`);
        expect([...expiry], `expiry of ${what}`).toEqual([...wantExpiry]);

        const dthresholds = random.array(batch * t);
        const dscores = new Float32Array(batch * t).fill(NaN);
        await runKernel('sparse_select_backward', { scores, starts, thresholds, dthresholds, dscores, batch, t });
        const want = new Float64Array(batch * t);
        for (let at = 0; at < batch * t; at++) {
          if (thresholds[at]! <= -1e30) continue;
          const row = Math.floor(at / t) * t;
          const between = Array.from({ length: at - row + 1 }, (_, j) => row + j).filter((other) => {
            const d = Math.fround(scores[other]! - thresholds[at]!);
            return other - row >= (starts?.[at] ?? 0) && d > 0 && d < 1;
          });
          for (const other of between) want[other]! += dthresholds[at]! / between.length;
        }
        expectClose(dscores, want, 1e-5, 1, `gradient of ${what}`);
      }
    });
  },
);
