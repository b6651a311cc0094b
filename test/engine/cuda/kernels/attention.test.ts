/** Each kernel of attention once, with few rows: these tests run under sanitizers as well. The rest is in ../attention.test.ts. */
import { describe, test } from 'vitest';
import { seed } from '../../native/harness.ts';
import { ALL_OPTIONS, checkAttention, DENSE, SPARSE } from '../attentionCheck.ts';
import { whyNoEmulator } from '../emulator/build.ts';

const why = whyNoEmulator();

const suffix = `on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`;
describe.skipIf(why !== undefined)(`kernels of attention ${suffix}`, { timeout: 120_000 }, () => {
  const few = { ...DENSE, kvheads: 1, tq: 66, tk: 70 };
  // Catches what is read before it has come or after it was written over, and rows and columns beyond the ends.
  test.each([
    [32, 32],
    [64, 56],
    [120, 128],
    [48, 136],
    [200, 136],
  ])('tensor cores, heads of %i and %i', async (d, dvalue) => {
    for (const type of ['bf16', 'f16'] as const) {
      await checkAttention({ ...few, d, dvalue }, type, d);
      await checkAttention({ ...few, ...ALL_OPTIONS, d, dvalue }, type, d + 1);
    }
  });
  test.each([
    [9, 70],
    [70, 9],
  ])('any sizes, heads of %i and %i', async (d, dvalue) => {
    await checkAttention({ ...few, ...ALL_OPTIONS, d, dvalue }, 'f32', d);
  });
  test('a selection', async () => {
    await checkAttention({ ...SPARSE, ...ALL_OPTIONS, t: 90, patterns: ['local'], selected: true }, 'f32', 1);
  });
});
