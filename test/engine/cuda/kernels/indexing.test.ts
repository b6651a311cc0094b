import { describe, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

describe.skipIf(why !== undefined)(
  `indexing on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(6);
    /** Some of them outside on either side. */
    const indices = (rows: number, vocabulary: number): Int32Array =>
      Int32Array.from({ length: rows }, () => random.int(-1, vocabulary - (random.uniform() < 0.95 ? 1 : 0)));

    // Catches rows read for indices outside, and ends of rows that are no whole group of eight.
    test('rows by index, alone and summed', async () => {
      for (const tabletype of FLOAT_TYPES)
        for (const n of [8, 64, random.int(1, 70)]) {
          const [rows, vocabulary, terms] = [random.int(1, 90), random.int(1, 40), random.int(1, 4)];
          const table = randomFloats(random, tabletype, vocabulary * n);
          const values = table.values();
          const at = (index: number, column: number): number =>
            index < 0 || index >= vocabulary ? 0 : values[index * n + column]!;
          const index = indices(rows * terms, vocabulary);
          const ytype = random.pick(FLOAT_TYPES);
          const [y, sums] = [unwritten(ytype, rows * n), unwritten(tabletype, rows * n)];
          const given = { table: table.data, index, rows, n, vocabulary };
          await runKernel('gather', { ...given, y: y.data, tabletype, ytype });
          const want = Float64Array.from({ length: rows * n }, (_, i) => at(index[Math.floor(i / n)]!, i % n));
          const exact = ytype === 'f32' || ytype === tabletype;
          expectClose(
            y.values(),
            want,
            exact ? 0 : NEAR[ytype],
            1e-4,
            `gather ${tabletype} → ${ytype}, ${rows} × ${n}`,
          );
          await runKernel('gather_sum', { ...given, y: sums.data, terms, type: tabletype });
          const total = Float64Array.from({ length: rows * n }, (_, i) => {
            const own = index.subarray(Math.floor(i / n) * terms, (Math.floor(i / n) + 1) * terms);
            return own.reduce((sum, each) => sum + at(each, i % n), 0);
          });
          expectClose(
            sums.values(),
            total,
            NEAR[tabletype],
            terms,
            `gather_sum ${tabletype}, ${rows} × ${n} × ${terms}`,
          );
        }
    });

    // Catches rows added twice or not at all: runs within a piece, across pieces, and over many; lists that are merged in one or two rounds.
    test('sums into rows by index', async () => {
      const cases = [
        [random.int(1, 64), 5],
        [random.int(65, 400), 1],
        [random.int(65, 400), random.int(2, 90)],
        [random.int(2049, 6000), random.pick([2, 50, 3000])],
        [random.int(16_385, 20_000), 700],
      ] as const;
      for (const [rows, vocabulary] of cases)
        for (const beta of [0, 1]) {
          const n = rows > 10_000 ? random.int(1, 3) : random.pick([8, random.int(1, 12), random.int(250, 270)]);
          if (rows * n > 300_000) continue;
          const dytype = random.pick(FLOAT_TYPES);
          const dy = randomFloats(random, dytype, rows * n);
          const index = indices(rows, vocabulary);
          const table = beta === 1 ? randomFloats(random, 'f32', vocabulary * n) : unwritten('f32', vocabulary * n);
          const want = beta === 1 ? Float64Array.from(table.values()) : new Float64Array(vocabulary * n);
          const sizes = new Float64Array(vocabulary * n).fill(1);
          const values = dy.values();
          for (let i = 0; i < rows * n; i++) {
            const row = index[Math.floor(i / n)]!;
            if (row < 0 || row >= vocabulary) continue;
            want[row * n + (i % n)]! += 0.5 * values[i]!;
            sizes[row * n + (i % n)]! += Math.abs(values[i]!);
          }
          const scale = 0.5;
          await runKernel('scatter_add', {
            dy: dy.data,
            index,
            table: table.data,
            rows,
            n,
            vocabulary,
            dytype,
            scale,
            beta,
          });
          expectClose(table.values(), want, 1e-5, sizes, `${rows} × ${n} into ${vocabulary}, ${dytype}, beta ${beta}`);
        }
    });
  },
);
