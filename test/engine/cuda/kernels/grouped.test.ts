/** Products by groups on the emulated GPU against double precision. */
import { describe, expect, test } from 'vitest';
import { expectClose, Random, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

/** Ends of groups that share the rows unevenly, with an empty one; a few rows belong to none. */
function endsOf(r: Random, rows: number, groups: number): Int32Array {
  const cuts = Int32Array.from({ length: groups }, () => r.int(0, rows)).toSorted();
  if (groups > 2) cuts[1] = cuts[0]!;
  return cuts;
}
const groupOf = (ends: Int32Array, row: number): number => ends.findIndex((end) => row < end);

describe.skipIf(why !== undefined)(
  `products by groups on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    // Catches a row that meets another group's matrix, a tile that reaches into the next group, and rows of nobody that are left as they were.
    test.each(FLOAT_TYPES.flatMap((type) => [false, true].map((tb) => [type, tb] as const)))(
      'rows × matrices, %s, transposed %s',
      { timeout: 60_000 },
      async (type, tb) => {
        const r = new Random(tb ? 1 : 2);
        for (const [rows, groups, n, k] of [
          [r.int(150, 300), 5, 8 * r.int(1, 9), 8 * r.int(1, 12)],
          [r.int(1, 90), 3, r.int(1, 70), r.int(1, 90)],
        ] as const) {
          const x = randomFloats(r, type, rows * k);
          const w = randomFloats(r, type, groups * n * k);
          const y = unwritten(type, rows * n);
          const ends = endsOf(r, rows, groups);
          const types = { xtype: type, wtype: type, ytype: type, compute: type };
          await runKernel('grouped_gemm', { x: x.data, w: w.data, y: y.data, ends, rows, groups, n, k, tb, ...types });
          const [vx, vw] = [x.values(), w.values()];
          const want = Float64Array.from({ length: rows * n }, (_, i) => {
            const [row, column] = [Math.floor(i / n), i % n];
            const e = groupOf(ends, row);
            let sum = 0;
            if (e >= 0)
              for (let d = 0; d < k; d++)
                sum += vx[row * k + d]! * vw[e * n * k + (tb ? column * k + d : d * n + column)]!;
            return sum;
          });
          expectClose(y.values(), want, NEAR[type], 1 + k / 8, `${rows} ${groups} ${n} ${k}`);
        }
      },
    );

    // Catches a gradient that lacks rows, has another group's, or is left as it was for an expert that got no token.
    test.each(FLOAT_TYPES)('sums of outer products, %s', async (type) => {
      const r = new Random(3);
      for (const [rows, groups, m, n] of [
        [r.int(200, 400), 3, 8 * r.int(1, 9), 8 * r.int(1, 9)],
        [r.int(1, 90), 5, r.int(1, 70), r.int(1, 40)],
      ] as const) {
        const x = randomFloats(r, type, rows * m);
        const y = randomFloats(r, type, rows * n);
        const out = unwritten('f32', groups * m * n);
        const ends = endsOf(r, rows, groups);
        const types = { xtype: type, ytype: type, outtype: 'f32', compute: type };
        await runKernel('grouped_outer', { x: x.data, y: y.data, out: out.data, ends, rows, groups, m, n, ...types });
        const [vx, vy] = [x.values(), y.values()];
        const want = new Float64Array(groups * m * n);
        for (let row = 0; row < rows; row++) {
          const e = groupOf(ends, row);
          if (e < 0) continue;
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++) want[(e * m + i) * n + j]! += vx[row * m + i]! * vy[row * n + j]!;
        }
        expectClose(out.values(), want, 2e-6, 1 + rows / 8, `${rows} ${groups} ${m} ${n}`);
      }
    });

    test('no group has rows: all are zero', async () => {
      const y = unwritten('f32', 12);
      const [x, w, ends] = [new Float32Array(6), new Float32Array(16), Int32Array.of(0, 0)];
      const types = { xtype: 'f32', wtype: 'f32', ytype: 'f32', compute: 'f32' };
      await runKernel('grouped_gemm', { x, w, y: y.data, ends, rows: 3, groups: 2, n: 4, k: 2, tb: false, ...types });
      expect(y.values()).toEqual(new Float32Array(12));
    });
  },
);
