import { describe, expect, test } from 'vitest';
import { Random, seed } from '../../native/harness.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { arrayOf, numbersOf, runKernel } from '../harness.ts';
import type { FloatType } from '../harness.ts';

const why = whyNoEmulator();
const EPS = 1e-5;

function reference(
  x: Float32Array,
  gain: Float32Array,
  bias: Float32Array | null,
  rows: number,
  n: number,
  rms: boolean,
) {
  const y = new Float64Array(rows * n);
  for (let row = 0; row < rows; row++) {
    const values = Array.from(x.subarray(row * n, (row + 1) * n));
    const mean = rms ? 0 : values.reduce((a, b) => a + b, 0) / n;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    values.forEach((value, i) => {
      y[row * n + i] = ((value - mean) / Math.sqrt(variance + EPS)) * gain[i]! + (bias?.[i] ?? 0);
    });
  }
  return y;
}

describe.skipIf(why !== undefined)(`norm on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  const random = new Random(1);
  const types: readonly FloatType[] = ['f32', 'bf16', 'f16'];
  // Catches wrong tails of rows, a mean over padding, and rows that the last block does not have.
  test.each([1, 31, 200, 1024, 1025, 2500])('rows of %i', { timeout: 60_000 }, async (n) => {
    for (const rms of [false, true]) {
      const rows = random.int(1, 19);
      const [xtype, ytype] = [random.pick(types), random.pick(types)];
      const x = arrayOf(xtype, random.array(rows * n, 3));
      const gain = random.array(n);
      const bias = random.uniform() < 0.5 ? random.array(n) : null;
      const y = arrayOf(ytype, new Float32Array(rows * n).fill(NaN));
      await runKernel('norm', { x, gain, bias, y, rows, n, xtype, ytype, rms, eps: EPS });
      const want = reference(numbersOf(xtype, x), gain, bias, rows, n, rms);
      const got = numbersOf(ytype, y);
      const bound = ytype === 'f32' ? 1e-5 : ytype === 'f16' ? 1e-3 : 8e-3;
      for (const [i, value] of want.entries())
        expect(Math.abs(got[i]! - value), `${xtype} → ${ytype}, rows ${rows}, at ${i}`).toBeLessThan(
          bound * (1 + Math.abs(value)),
        );
    }
  });
});
