import { describe, expect, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { activation, activationGradient, uniformAt } from '../../native/reference.ts';
import type { Name } from '../../native/reference.ts';
import { FLOAT_TYPES, NEAR, floats, randomFloats, unwritten } from '../arrays.ts';
import type { DeviceFloats } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const FUNCTIONS: readonly Name[] = ['gelu', 'gelu_tanh', 'relu2', 'silu', 'relu'];

describe.skipIf(why !== undefined)(
  `elements on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(2);
    /** Mostly whole groups of eight, and what does not fill one. */
    const size = (): number => random.pick([1, 7, 8, 2048, random.int(1, 5000)]);
    const map = (x: DeviceFloats, f: (value: number, i: number) => number): Float64Array =>
      Float64Array.from(x.values(), f);

    // Catches ends that are no whole group, types mixed up, and integers that went through floats.
    test('casts between all types, scaled, and copies of integers', async () => {
      for (const xtype of FLOAT_TYPES)
        for (const ytype of FLOAT_TYPES) {
          const n = size();
          const scale = random.pick([1, 0.375]);
          const x = randomFloats(random, xtype, n, 3);
          const y = unwritten(ytype, n);
          await runKernel('cast', { x: x.data, y: y.data, n, xtype, ytype, scale });
          const what = `${xtype} → ${ytype} × ${scale}, ${n}`;
          expectClose(
            y.values(),
            map(x, (value) => value * scale),
            NEAR[ytype],
            1e-7 / NEAR[ytype],
            what,
          );
        }
      const n = size();
      const whole = Int32Array.from({ length: n }, () => random.int(-(2 ** 31), 2 ** 31 - 1));
      const copied = new Int32Array(n);
      await runKernel('cast', { x: whole, y: copied, n, xtype: 'i32', ytype: 'i32', scale: 1 });
      expect(copied).toEqual(whole);
      const bytes = Uint8Array.from({ length: n }, () => random.int(0, 255));
      const y = unwritten('f32', n);
      await runKernel('cast', { x: bytes, y: y.data, n, xtype: 'u8', ytype: 'f32', scale: 1 });
      expect(y.values()).toEqual(Float32Array.from(bytes));
      const low = randomFloats(random, 'f32', n, 100);
      const cut = new Int32Array(n);
      await runKernel('cast', { x: low.data, y: cut, n, xtype: 'f32', ytype: 'i32', scale: 1 });
      expect([...cut]).toEqual([...low.values()].map((value) => Math.trunc(value) + 0));
    });

    test('fills of every type', async () => {
      const n = size();
      for (const ytype of FLOAT_TYPES) {
        const y = unwritten(ytype, n);
        await runKernel('fill', { y: y.data, n, ytype, value: -2.5 });
        expect([...y.values()]).toEqual(Array(n).fill(-2.5));
      }
      const [whole, bytes] = [new Int32Array(n), new Uint8Array(n)];
      await runKernel('fill', { y: whole, n, ytype: 'i32', value: -7 });
      await runKernel('fill', { y: bytes, n, ytype: 'u8', value: 200 });
      expect([...whole]).toEqual(Array(n).fill(-7));
      expect([...bytes]).toEqual(Array(n).fill(200));
    });

    // Catches a wrong counter, lane or key of Philox: what is dropped is known exactly.
    test('dropout', async () => {
      const key = Uint32Array.from({ length: 4 }, () => random.int(0, 2 ** 32 - 1));
      for (const xtype of FLOAT_TYPES) {
        const [n, p, stream] = [size(), random.pick([0.1, 0.5, 0.9]), random.int(0, 2 ** 31 - 1)];
        const ytype = random.pick(FLOAT_TYPES);
        const x = floats(
          xtype,
          random.array(n).map((value) => value + Math.sign(value)),
        );
        const y = unwritten(ytype, n);
        await runKernel('dropout', { x: x.data, y: y.data, seed: key, n, xtype, ytype, stream, p });
        const want = map(x, (value, i) => (uniformAt(i, [...key], stream) >= Math.fround(p) ? value / (1 - p) : 0));
        expectClose(y.values(), want, NEAR[ytype], 0, `${xtype} → ${ytype}, ${n}, p ${p}`);
      }
    });

    // Catches wrong formulas, and gradients that are written over what is still to be read.
    test('activations and their gradients, in place too', async () => {
      for (const act of FUNCTIONS)
        for (const type of FLOAT_TYPES) {
          const n = size();
          const x = randomFloats(random, type, n, 5);
          const dy = randomFloats(random, type, n);
          const y = unwritten(type, n);
          const what = `${act} ${type} ${n}`;
          await runKernel('activation', { x: x.data, y: y.data, n, type, act });
          expectClose(
            y.values(),
            map(x, (value) => activation(act, value)),
            NEAR[type],
            type === 'f16' ? 1e-2 : 0.5,
            what,
          );
          const slope = map(x, (value) => activationGradient(act, value));
          const want = map(dy, (value, i) => value * slope[i]!);
          const over = random.pick([x, dy, unwritten(type, n)]);
          await runKernel('activation_backward', { dy: dy.data, x: x.data, dx: over.data, n, type, act });
          expectClose(over.values(), want, NEAR[type], 0.5, `gradient of ${what}`);
        }
      const x = randomFloats(random, 'bf16', 77);
      const y = unwritten('bf16', 77);
      await runKernel('activation', { x: x.data, y: y.data, n: 77, type: 'bf16', act: 'none' });
      expect(y.values()).toEqual(x.values());
    });

    test('gated units and their gradients, in place too', async () => {
      for (const act of [...FUNCTIONS, 'none'] as const) {
        const type = random.pick(FLOAT_TYPES);
        const other = random.pick(FLOAT_TYPES);
        const n = size();
        const [a, b] = [randomFloats(random, type, n, 4), randomFloats(random, type, n, 2)];
        const dy = randomFloats(random, other, n);
        const [va, vb, vd] = [a.values(), b.values(), dy.values()];
        const f = (value: number): number => (act === 'none' ? value : activation(act, value));
        const slope = (value: number): number => (act === 'none' ? 1 : activationGradient(act, value));
        const y = unwritten(other, n);
        const what = `${act} ${type}, ${other}, ${n}`;
        await runKernel('glu', { a: a.data, b: b.data, y: y.data, n, type, ytype: other, act });
        expectClose(
          y.values(),
          Float64Array.from(va, (value, i) => f(value) * vb[i]!),
          NEAR[other],
          1,
          what,
        );
        const own = random.uniform() < 0.5;
        const [da, db] = own ? [a, b] : [unwritten(type, n), unwritten(type, n)];
        const pointers = { dy: dy.data, a: a.data, b: b.data, da: da.data, db: db.data };
        await runKernel('glu_backward', { ...pointers, n, type, dytype: other, act });
        const wantA = Float64Array.from(va, (value, i) => vd[i]! * vb[i]! * slope(value));
        expectClose(da.values(), wantA, NEAR[type], 1, `da of ${what}`);
        expectClose(
          db.values(),
          Float64Array.from(va, (value, i) => vd[i]! * f(value)),
          NEAR[type],
          1,
          `db of ${what}`,
        );
      }
    });
  },
);
