import { describe, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();

describe.skipIf(why !== undefined)(
  `rotary on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(7);
    const angle = (position: number, pair: number, d: number, base: number): number =>
      position * base ** ((-2 * pair) / d);

    // Catches angles that lose their fraction far out, as products in 32 bits do.
    test('tables of angles near and far, of consecutive and given positions', async () => {
      for (let round = 0; round < 4; round++) {
        const [t, d, base] = [random.int(1, 40), 2 * random.int(1, 40), random.pick([10, 10_000, 500_000])];
        const offset = random.pick([0, 17, 1_000_000]);
        const positions = round % 2 === 0 ? null : Int32Array.from({ length: t }, () => random.int(-1000, 200_000));
        const table = unwritten('f32', t * d);
        await runKernel('rotary_table', { positions, table: table.data, t, d, offset, base });
        const want = Float64Array.from({ length: t * d }, (_, at) => {
          const [row, column] = [Math.floor(at / d), at % d];
          const turn = angle(positions?.[row] ?? offset + row, column % (d / 2), d, base);
          return column < d / 2 ? Math.cos(turn) : Math.sin(turn);
        });
        expectClose(table.values(), want, 1e-6, 1, `[${t}, ${d}] base ${base} from ${offset}`);
      }
    });

    // Catches halves and heads mixed up, strides of x used for y, and a turn in the wrong direction.
    test('turns and turns back, between strides', async () => {
      for (const type of FLOAT_TYPES)
        for (const inverse of [false, true]) {
          const [batch, t, heads] = [random.int(1, 3), random.int(1, 9), random.int(1, 4)];
          const d = random.pick([64, 16, 2 * random.int(1, 30)]);
          const gap = random.pick([0, 5]);
          // x by rows, y by heads.
          const [sxb, sxt, sxh] = [t * heads * d + gap, heads * d, d];
          const [syb, syt, syh] = [t * heads * d, d, t * d];
          const x = randomFloats(random, type, batch * sxb);
          const y = unwritten(type, batch * syb);
          const table = Float32Array.from({ length: t * d }, (_, at) => {
            const turn = angle(Math.floor(at / d), (at % d) % (d / 2), d, 10_000);
            return at % d < d / 2 ? Math.cos(turn) : Math.sin(turn);
          });
          const strides = { sxb, sxt, sxh, syb, syt, syh };
          await runKernel('rotary', { x: x.data, y: y.data, table, batch, t, heads, d, ...strides, type, inverse });
          const values = x.values();
          const want = new Float64Array(batch * syb);
          for (let at = 0; at < batch * t * heads * (d / 2); at++) {
            const pair = at % (d / 2);
            const head = Math.floor(at / (d / 2)) % heads;
            const row = Math.floor(at / (d / 2) / heads) % t;
            const b = Math.floor(at / (d / 2) / heads / t);
            const turn = angle(row, pair, d, 10_000) * (inverse ? -1 : 1);
            const from = b * sxb + row * sxt + head * sxh + pair;
            const to = b * syb + row * syt + head * syh + pair;
            const [u, v] = [values[from]!, values[from + d / 2]!];
            want[to] = u * Math.cos(turn) - v * Math.sin(turn);
            want[to + d / 2] = v * Math.cos(turn) + u * Math.sin(turn);
          }
          expectClose(y.values(), want, NEAR[type], 1, `${type} [${batch}, ${t}, ${heads}, ${d}] inverse ${inverse}`);
        }
    });
  },
);
