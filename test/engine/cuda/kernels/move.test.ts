import { describe, expect, test } from 'vitest';
import { Random, seed } from '../../native/harness.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { arrayOf, numbersOf, runKernel } from '../harness.ts';
import type { DeviceArray } from '../harness.ts';
import { FLOAT_TYPES, randomFloats, unwritten } from '../arrays.ts';

const why = whyNoEmulator();

const KINDS = {
  f32: Float32Array,
  i32: Int32Array,
  bf16: Uint16Array,
  f16: Uint16Array,
  u8: Uint8Array,
} as const;
type Kind = keyof typeof KINDS;

describe.skipIf(why !== undefined)(
  `copies on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(4);
    const kinds = Object.keys(KINDS) as Kind[];
    const filled = (kind: Kind, n: number, f: () => number): DeviceArray => {
      const out: DeviceArray = new KINDS[kind](n);
      for (let i = 0; i < n; i++) out[i] = f();
      return out;
    };
    /** Numbers that every type holds. */
    const numbered = (kind: Kind, n: number): DeviceArray => filled(kind, n, () => random.int(0, 250));
    const empty = (kind: Kind, n: number): DeviceArray => filled(kind, n, () => 255);

    // Catches wrong strides, and wide copies where rows do not begin at whole units.
    test('rows between strides', async () => {
      for (const kind of kinds)
        for (let round = 0; round < 4; round++) {
          const n = random.pick([1, 16, 64, random.int(1, 300)]);
          const [gapX, gapY] = round % 2 === 0 ? [0, 16] : [random.int(0, 5), random.int(0, 5)];
          const [rows, ldx, ldy] = [random.int(1, 20), n + gapX, n + gapY];
          const [x, y] = [numbered(kind, rows * ldx), empty(kind, rows * ldy)];
          const want = y.slice();
          for (let i = 0; i < rows * n; i++)
            want[Math.floor(i / n) * ldy + (i % n)] = x[Math.floor(i / n) * ldx + (i % n)]!;
          await runKernel('copy_rows', { x, y, rows, n, ldx, ldy, xtype: kind, ytype: kind });
          expect(y, `${kind} ${rows} × ${n} from ${ldx} to ${ldy}`).toEqual(want);
        }
    });

    test('rows into another type', async () => {
      for (const xtype of FLOAT_TYPES)
        for (const ytype of FLOAT_TYPES) {
          if (xtype === ytype) continue;
          const [rows, n] = [random.int(1, 9), random.pick([8, 24, random.int(1, 70)])];
          const [ldx, ldy] = [n + random.pick([0, 8, 3]), n + random.pick([0, 8, 3])];
          const [x, y] = [randomFloats(random, xtype, rows * ldx), unwritten(ytype, rows * ldy)];
          await runKernel('copy_rows', { x: x.data, y: y.data, rows, n, ldx, ldy, xtype, ytype });
          const values = x.values();
          const want = new Float32Array(rows * ldy).fill(NaN);
          for (let i = 0; i < rows * n; i++)
            want[Math.floor(i / n) * ldy + (i % n)] = values[Math.floor(i / n) * ldx + (i % n)]!;
          const rounded = numbersOf(ytype, arrayOf(ytype, want));
          expect(y.values(), `${xtype} → ${ytype}, ${rows} × ${n}`).toEqual(Float32Array.from(rounded));
        }
    });

    // Catches wrong merging of dimensions and the edges of tiles, for every order of up to five.
    test('dimensions in another order', async () => {
      for (let round = 0; round < 24; round++) {
        const shape = Array.from({ length: random.int(1, 5) }, () => random.pick([1, 2, 3, 5, 8]));
        shape[random.int(0, shape.length - 1)] = random.pick([16, 33, 40, 70]);
        const order = shape.map((_, d) => d);
        for (let d = order.length - 1; d > 0; d--) {
          const other = random.int(0, d);
          [order[d], order[other]] = [order[other]!, order[d]!];
        }
        const steps = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
        const sizes = order.map((axis) => shape[axis]!);
        const strides = order.map((axis) => steps[axis]!);
        const count = shape.reduce((a, b) => a * b, 1);
        const kind = random.pick(kinds);
        const [x, y] = [numbered(kind, count), empty(kind, count)];
        const want = y.map((_, i) => {
          let [rest, at] = [i, 0];
          for (let d = sizes.length - 1; d >= 0; d--) {
            at += (rest % sizes[d]!) * strides[d]!;
            rest = Math.floor(rest / sizes[d]!);
          }
          return x[at]!;
        });
        const what = `${kind} [${shape}] by ${order}`;
        await runKernel('permute', { x, y, xtype: kind, ytype: kind }, [sizes.length, ...sizes, ...strides]);
        expect(y, what).toEqual(want);
        if (kind !== 'u8') continue;
        const wide = new Float32Array(count);
        await runKernel('permute', { x, y: wide, xtype: kind, ytype: 'f32' }, [sizes.length, ...sizes, ...strides]);
        expect([...wide], `${what} as f32`).toEqual([...want]);
      }
    });
  },
);
