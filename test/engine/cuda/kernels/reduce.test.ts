import { describe, expect, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, floats, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const KINDS = ['sum', 'mean', 'max', 'min', 'squares'] as const;

describe.skipIf(why !== undefined)(
  `reductions on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(5);

    // Catches pieces that overlap or leave rows out, tails read as zeros by a maximum, and a beta that is added to each piece.
    test('of rows and columns, in one or two stages', async () => {
      // The last of nothing.
      const shapes = [
        [random.int(1, 20), random.int(1, 1024), 1],
        [random.int(1, 3), random.int(1025, 4096), 1],
        [random.int(1, 3), random.int(4097, 20_000), 1],
        [1, random.int(1, 63), random.int(2, 80)],
        [random.int(1, 3), random.int(64, 700), random.int(2, 80)],
        [random.int(2, 40), random.int(1, 90), random.int(2, 33)],
        [random.int(1, 3), 0, random.int(1, 5)],
      ] as const;
      for (const [outer, n, inner] of shapes)
        for (const kind of KINDS) {
          const [xtype, ytype] = [random.pick(FLOAT_TYPES), random.pick(['f32', 'f32', ...FLOAT_TYPES] as const)];
          const beta = random.int(0, 1);
          const sign = random.pick([1, -1]);
          const x = floats(
            xtype,
            random.array(outer * n * inner).map((value) => (value + 1.5) * sign),
          );
          const y = beta === 1 ? randomFloats(random, ytype, outer * inner) : unwritten(ytype, outer * inner);
          const [given, before] = [x.values(), y.values()];
          const sizes = new Float64Array(outer * inner);
          const want = Float64Array.from({ length: outer * inner }, (_, at) => {
            const [o, i] = [Math.floor(at / inner), at % inner];
            const values = Array.from({ length: n }, (__, r) => given[(o * n + r) * inner + i]!);
            const sum = values.reduce((a, b) => a + (kind === 'squares' ? b * b : b), 0);
            const single = kind === 'max' ? Math.max(...values) : kind === 'min' ? Math.min(...values) : sum;
            sizes[at] = beta;
            return (kind === 'mean' ? sum / n : single) + (beta === 1 ? before[at]! : 0);
          });
          await runKernel('reduce', { x: x.data, y: y.data, outer, n, inner, xtype, ytype, kind, beta });
          const what = `${kind} of [${outer}, ${n}, ${inner}] ${xtype} → ${ytype}, beta ${beta}`;
          expectClose(y.values(), want, NEAR[ytype], sizes, what);
        }
    });

    test('a maximum keeps what is not a number', async () => {
      const x = floats('f32', random.array(3 * 50));
      (x.data as Float32Array)[70] = NaN;
      const y = unwritten('f32', 3);
      await runKernel('reduce', {
        x: x.data,
        y: y.data,
        outer: 3,
        n: 50,
        inner: 1,
        xtype: 'f32',
        ytype: 'f32',
        kind: 'max',
        beta: 0,
      });
      expect([...y.values()].map(Number.isNaN)).toEqual([false, true, false]);
    });

    // Catches ties that go to a later place, and rows whose largest is in another thread's share.
    test('the largest of a row is the first of equals', async () => {
      for (const n of [1, random.int(2, 40), random.int(41, 1024), random.int(1025, 5000)])
        for (const xtype of FLOAT_TYPES) {
          const rows = random.int(1, 11);
          // Few different values: most rows have ties.
          const x = floats(
            xtype,
            Float32Array.from({ length: rows * n }, () => random.int(-3, 3)),
          );
          const values = x.values();
          const y = new Int32Array(rows).fill(-9);
          await runKernel('argmax', { x: x.data, y, rows, n, xtype });
          const want = Array.from({ length: rows }, (_, row) => {
            const own = values.subarray(row * n, (row + 1) * n);
            return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
          });
          expect([...y], `${rows} × ${n} ${xtype}`).toEqual(want);
        }
      const odd = Float32Array.from([NaN, 1, 2, 3, NaN, 5, -Infinity, -Infinity, -Infinity]);
      const y = new Int32Array(3);
      await runKernel('argmax', { x: odd, y, rows: 3, n: 3, xtype: 'f32' });
      expect([...y]).toEqual([0, 2, 0]);
    });
  },
);
