import { describe, expect, test } from 'vitest';
import { CUDA_KERNELS } from '../../../../main/engine/executors/cuda/kernels/index.ts';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { activation, activationGradient, erf, uniformAt } from '../../native/reference.ts';
import type { Name } from '../../native/reference.ts';
import { FLOAT_TYPES, NEAR, floats, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const ACTIVATIONS: readonly Name[] = ['gelu', 'gelu_tanh', 'relu2', 'silu', 'relu'];
/** Of enums.h: none stands before them. */
const actNumber = (name: Name): number => ['none', ...ACTIVATIONS].indexOf(name);

describe.skipIf(why !== undefined)(`chain on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  const random = new Random(3);
  const SPECIAL = [0, -0, 1, -1, 88.7, -87, 1e-30, 1e30, Infinity, -Infinity, NaN, 4, -4, 0.5, 1.5, -2.5];

  // Catches instructions mixed up: every one against double precision, infinities and NaN included.
  test('every instruction', async () => {
    const n = 600;
    const numbers = (): Float32Array => {
      const own = random.array(n, 9);
      SPECIAL.forEach((value, i) => {
        own[random.int(0, 2) * 100 + i] = value;
      });
      return own;
    };
    const given = [numbers(), numbers(), numbers()];
    const run = async (op: string, immediate = 0) => {
      const y = unwritten('f32', n);
      const inputs = given.flatMap((x) => [x, 'f32', 1]);
      await runKernel('chain', { seed: null, stream: 0 }, [
        1,
        n,
        3,
        ...inputs,
        1,
        y.data,
        'f32',
        3,
        1,
        op,
        3,
        0,
        1,
        2,
        immediate,
      ]);
      return y.values();
    };
    type Formula = (a: number, b: number, c: number) => number;
    const check = async (op: string, f: Formula, relative = 2e-6, absolute = 1e-6, immediate = 0) => {
      const want = given[0]!.map((a, i) => f(a, given[1]![i]!, given[2]![i]!));
      // What is subnormal may be zero.
      const got = (await run(op, immediate)).map((value, i) => (Math.abs(want[i]!) < 1.2e-38 ? want[i]! : value));
      expectClose(got, want, relative, absolute / relative, `${op} ${immediate}`);
    };
    const truth = (yes: boolean): number => (yes ? 1 : 0);
    const nanOr =
      (f: Formula): Formula =>
      (a, b, c) =>
        Number.isNaN(a) || Number.isNaN(b) ? NaN : f(a, b, c);
    const even = (a: number): number => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a));
    const single = Math.fround;
    const table: Record<string, Formula> = {
      copy: (a) => a,
      add: (a, b) => a + b,
      sub: (a, b) => a - b,
      mul: (a, b) => a * b,
      div: (a, b) => a / b,
      max: nanOr((a, b) => Math.max(a, b)),
      min: nanOr((a, b) => Math.min(a, b)),
      less: (a, b) => truth(a < b),
      less_equal: (a, b) => truth(a <= b),
      equal: (a, b) => truth(a === b),
      logical_and: (a, b) => truth(a !== 0 && b !== 0),
      logical_or: (a, b) => truth(a !== 0 || b !== 0),
      logical_not: (a) => truth(a === 0),
      select: (a, b, c) => (a === 0 ? c : b),
      fma: (a, b, c) => single(single(a * b) + c),
      neg: (a) => -a,
      abs: (a) => Math.abs(a),
      sign: Math.sign,
      exp: Math.exp,
      expm1: Math.expm1,
      log: Math.log,
      log1p: Math.log1p,
      sqrt: Math.sqrt,
      rsqrt: (a) => 1 / Math.sqrt(a),
      reciprocal: (a) => 1 / a,
      square: (a) => a * a,
      tanh: Math.tanh,
      sigmoid: (a) => 1 / (1 + Math.exp(-a)),
      erf: (a) => (Number.isFinite(a) ? erf(a) : a > 0 ? 1 : a < 0 ? -1 : NaN),
      relu: (a) => (a < 0 ? 0 : a),
      sin: Math.sin,
      cos: Math.cos,
      softplus: (a) => (a > 30 ? a : Math.log1p(Math.exp(a))),
      floor: Math.floor,
      round: (a) => (Number.isFinite(a) ? even(a) : a),
    };
    for (const [op, f] of Object.entries(table)) await check(op, f);
    await check('constant', () => 2.75, 0, 0, 2.75);
    await check('add_imm', (a) => a + 0.75, 1e-6, 1e-6, 0.75);
    await check('mul_imm', (a) => a * -1.5, 1e-6, 0, -1.5);
    given[0] = given[0]!.map((value) => (Math.abs(value) < 50 ? value : 1));
    given[1] = given[1]!.map((value) => (Math.abs(value) < 50 ? value : 1));
    for (const name of ACTIVATIONS) {
      await check('act', (a) => activation(name, a), 2e-6, 2e-6, actNumber(name));
      await check('act_grad', (a) => activationGradient(name, a), 2e-6, 2e-6, actNumber(name));
    }
    await check('round_bf16', (a) => floats('bf16', Float32Array.of(a)).values()[0]!, 0, 0);
    given[0] = given[0]!.map(Math.abs);
    await check('pow', (a, b) => a ** b, 1e-5, 1e-6);
  });

  // Catches wrong merging of dimensions, broadcasting strides, registers used twice, and ends of blocks.
  test('programs with broadcasting equal the plain loops', async () => {
    for (let round = 0; round < 16; round++) {
      const whole = Array.from({ length: random.int(1, 5) }, () => random.pick([1, 2, 3, 5, 8]));
      const count = whole.reduce((a, b) => a * b, 1);
      const steps = whole.map((_, d) => whole.slice(d + 1).reduce((a, b) => a * b, 1));
      const kept = whole.map(() => random.uniform() < 0.5);
      // Dense over the dimensions that it has, in order or reversed.
      const dims = whole.map((_, d) => d).filter((d) => kept[d]);
      const strides = whole.map(() => 0);
      let step = 1;
      for (const d of random.uniform() < 0.7 ? dims.toReversed() : dims) {
        strides[d] = step;
        step *= whole[d]!;
      }
      const [xtype, ztype] = [random.pick(FLOAT_TYPES), random.pick(FLOAT_TYPES)];
      const [x, z] = [randomFloats(random, xtype, count), randomFloats(random, ztype, step)];
      const [out, low] = [unwritten('f32', count), unwritten('bf16', count)];
      const axis = random.int(0, whole.length - 1);
      const code = [
        ['mul', 2, 0, 1, 0, 0],
        ['less', 3, 0, 1, 0, 0],
        ['add_imm', 4, 1, 0, 0, 0.5],
        ['select', 2, 3, 2, 4, 0],
        ['index', 5, 0, 0, 0, axis],
        ['fma', 2, 2, 4, 5, 0],
      ];
      const inputs = [2, x.data, xtype, ...steps, z.data, ztype, ...strides];
      const outputs = [2, out.data, 'f32', 2, low.data, 'bf16', 2];
      const extra = [whole.length, ...whole, ...inputs, ...outputs, code.length, ...code.flat()];
      await runKernel('chain', { seed: null, stream: 0 }, extra);
      const [vx, vz] = [x.values(), z.values()];
      const want = Float64Array.from({ length: count }, (_, i) => {
        const place = (d: number): number => Math.floor(i / steps[d]!) % whole[d]!;
        const [p, q] = [vx[i]!, vz[whole.reduce((at, __, d) => at + place(d) * strides[d]!, 0)]!];
        return (p < q ? p * q : q + 0.5) * (q + 0.5) + place(axis);
      });
      const what = `[${whole}] ${xtype} and [${strides}] ${ztype}`;
      expectClose(out.values(), want, 2e-6, 1, what);
      expectClose(low.values(), want, NEAR.bf16, 1, `${what} as bf16`);
    }
  });

  test('uniform numbers and dropout factors are those of Philox', async () => {
    const key = Uint32Array.from([0xdeadbeef, 0x12345678, 99, 2]);
    const n = random.int(1, 1500);
    for (const [op, f] of [
      ['uniform', (u: number) => u],
      ['keep', (u: number) => (u >= 0.25 ? 1 / 0.75 : 0)],
    ] as const) {
      const y = unwritten('f32', n);
      const extra = [1, n, 0, 1, y.data, 'f32', 0, 1, op, 0, 0, 0, 0, 0.25];
      await runKernel('chain', { seed: key, stream: 42 }, extra);
      expect([...y.values()]).toEqual(Array.from({ length: n }, (_, i) => Math.fround(f(uniformAt(i, [...key], 42)))));
    }
  });

  test('integers in and out, and what the kernel has no room for', async () => {
    const n = 300;
    const index = Int32Array.from({ length: n }, () => random.int(-1, 6));
    const hot = new Uint8Array(n * 7).fill(9);
    const code = ['index', 1, 0, 0, 0, 1, 'equal', 1, 1, 0, 0, 0];
    await runKernel('chain', { seed: null, stream: 0 }, [2, n, 7, 1, index, 'i32', 1, 0, 1, hot, 'u8', 1, 2, ...code]);
    expect([...hot]).toEqual(Array.from({ length: n * 7 }, (_, i) => (index[Math.floor(i / 7)] === i % 7 ? 1 : 0)));
    const sizes = Array<number>(9).fill(1);
    const launches = () => CUDA_KERNELS['chain']!.launches({}, [9, ...sizes, 0, 0, 0], 0);
    expect(launches).toThrow('chain: 9 dimensions; the CUDA kernel takes 8');
  });
});
