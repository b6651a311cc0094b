import { describe, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, floats, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const EPS = 1e-5;

/** Of each kernel, and at the edges of what one takes. */
const LENGTHS = [1, 31, 200, 256, 700, 1024, 1025, 2048, 2500, 8200];

describe.skipIf(why !== undefined)(`norm on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  const random = new Random(1);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

  /** Rows of x as (x − mean) · rstd, and their rstd. */
  function normalized(x: Float32Array, n: number, rms: boolean): { h: number[]; rstd: number }[] {
    return Array.from({ length: x.length / n }, (_, row) => {
      const values = [...x.subarray(row * n, (row + 1) * n)];
      const mean = rms ? 0 : sum(values) / n;
      const rstd = 1 / Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / n + EPS);
      return { h: values.map((value) => (value - mean) * rstd), rstd };
    });
  }
  /** Centred differences of one or two numbers lose bits where they are near each other. */
  const loss = (n: number): number => (n < 3 ? 400 : 4);

  // Catches wrong tails of rows, a mean over padding, and rows that the last block does not have.
  test.each(LENGTHS)('rows of %i', async (n) => {
    for (const rms of [false, true]) {
      const rows = random.int(1, n > 2000 ? 3 : 19);
      const [xtype, ytype] = [random.pick(FLOAT_TYPES), random.pick(FLOAT_TYPES)];
      const x = floats(
        xtype,
        random.array(rows * n, 3).map((value) => value + 0.5),
      );
      const gain = random.uniform() < 0.8 ? random.array(n) : null;
      const bias = random.uniform() < 0.5 ? random.array(n) : null;
      const y = unwritten(ytype, rows * n);
      await runKernel('norm', { x: x.data, gain, bias, y: y.data, rows, n, xtype, ytype, rms, eps: EPS });
      const want = Float64Array.from(
        normalized(x.values(), n, rms).flatMap(({ h }) =>
          h.map((value, i) => value * (gain?.[i] ?? 1) + (bias?.[i] ?? 0)),
        ),
      );
      expectClose(
        y.values(),
        want,
        Math.max(NEAR[ytype], 5e-6),
        loss(n),
        `${xtype} → ${ytype}, ${rows} × ${n}, rms ${rms}`,
      );
    }
  });

  // Catches rows that a block leaves out of the sums, sums of another block's rows, and a gradient written over what is still to be read.
  test.each(LENGTHS)('gradient of rows of %i, in place too', async (n) => {
    for (const rms of [false, true]) {
      const most = n > 2000 ? 3 : n > 300 ? 17 : 90;
      const rows = n === 31 ? random.int(2200, 2400) : random.int(1, most);
      const [xtype, dytype] = [random.pick(FLOAT_TYPES), random.pick(FLOAT_TYPES)];
      const [x, dy] = [randomFloats(random, xtype, rows * n, 3), randomFloats(random, dytype, rows * n)];
      const add = random.uniform() < 0.5 ? randomFloats(random, random.pick(FLOAT_TYPES), rows * n) : undefined;
      const dx = random.pick([x, dy, add ?? x, unwritten(random.pick(FLOAT_TYPES), rows * n)]);
      const gain = random.uniform() < 0.8 ? random.array(n) : null;
      const sums = random.uniform() < 0.8;
      const beta = random.int(0, 1);
      const before = [random.array(n), random.array(n)] as const;
      const dgain = sums ? Float32Array.from(beta === 1 ? before[0] : before[0].fill(NaN)) : null;
      const dbias = sums && !rms ? Float32Array.from(beta === 1 ? before[1] : before[1].fill(NaN)) : null;
      const rowsOf = normalized(x.values(), n, rms);
      const [given, added] = [dy.values(), add?.values()];
      const want = new Float64Array(rows * n);
      const sizes = new Float64Array(rows * n);
      const wants = [new Float64Array(n), new Float64Array(n)] as const;
      rowsOf.forEach(({ h, rstd }, row) => {
        const g = h.map((_, i) => given[row * n + i]! * (gain?.[i] ?? 1));
        const m0 = rms ? 0 : sum(g) / n;
        const m1 = sum(g.map((value, i) => value * h[i]!)) / n;
        h.forEach((value, i) => {
          want[row * n + i] = (added?.[row * n + i] ?? 0) + rstd * (g[i]! - m0 - value * m1);
          sizes[row * n + i] = (1 + rstd * 3) * loss(n);
          wants[0][i]! += given[row * n + i]! * value;
          wants[1][i]! += given[row * n + i]!;
        });
      });
      await runKernel('norm_backward', {
        dy: dy.data,
        x: x.data,
        gain,
        add: add?.data ?? null,
        dx: dx.data,
        dgain,
        dbias,
        rows,
        n,
        xtype,
        dytype,
        dxtype: dx.type,
        addtype: add?.type ?? 'f32',
        rms,
        beta,
        eps: EPS,
      });
      const what = `${xtype}, ${dytype} → ${dx.type}, ${rows} × ${n}, rms ${rms}, beta ${beta}`;
      expectClose(dx.values(), want, Math.max(NEAR[dx.type], 5e-6), sizes, what);
      [dgain, dbias].forEach((got, i) => {
        if (got === null) return;
        const total = beta === 1 ? wants[i]!.map((value, column) => value + before[i]![column]!) : wants[i]!;
        expectClose(got, total, 5e-6, (1 + Math.sqrt(rows)) * loss(n), `${i === 0 ? 'dgain' : 'dbias'} of ${what}`);
      });
    }
  });
});
