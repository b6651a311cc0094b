import { afterEach, describe, expect, test } from 'vitest';
import type { Argument } from '../../../main/engine/native/encode.ts';
import { Arena, HALVES, Random, TYPES, call, expectClose, levels, native, roundBf16, skipped } from './harness.ts';
import type { Type } from './harness.ts';
import { activation, activationGradient } from './reference.ts';
import { repeated } from '../../oracles/random.ts';

/** Random cases for each level. */
const CASES = repeated(12);

describe.skipIf(native === undefined).each(levels)(`gemm at level %s${skipped}`, (level) => {
  const arena = new Arena();
  afterEach(() => arena.clear());

  interface Case {
    m: number;
    n: number;
    k: number;
    ta: boolean;
    tb: boolean;
    types: { a: Type; b: Type; c: Type };
    compute: Type;
    beta: number;
    batch: number;
    epilogue: 'none' | 'bias' | 'activation' | 'gradient' | 'residual';
    threads: number;
  }

  function check(c: Case, salt: number) {
    native.setLevel(level === 'none' ? '' : level);
    native.setThreads(c.threads);
    const r = new Random(salt);
    const { m, n, k, batch } = c;
    const lda = (c.ta ? m : k) + r.int(0, 3);
    const ldb = (c.tb ? k : n) + r.int(0, 3);
    const ldc = n + r.int(0, 3);
    const sizes = { a: (c.ta ? k : m) * lda, b: (c.tb ? n : k) * ldb, c: m * ldc };
    const a = arena.put(r.array(sizes.a * batch), c.types.a);
    const b = arena.put(r.array(sizes.b * batch), c.types.b);
    const out = arena.put(r.array(sizes.c * batch), c.types.c);
    const bias = arena.put(r.array(n));
    const residual = arena.put(r.array(sizes.c * batch), c.types.c);
    const aux = arena.put(r.array(sizes.c * batch, 3), c.types.c);
    const fn = r.pick(['gelu', 'gelu_tanh', 'relu2', 'silu'] as const);
    const alpha = c.epilogue === 'none' ? 1 : r.pick([1, 0.5]);
    const args: Record<string, Argument> = {
      a: a.p,
      b: b.p,
      c: out.p,
      m,
      n,
      k,
      lda,
      ldb,
      ldc,
      ldaux: ldc,
      ldres: ldc,
      ta: +c.ta,
      tb: +c.tb,
      atype: a.type,
      btype: b.type,
      ctype: out.type,
      auxtype: out.type,
      restype: out.type,
      compute: c.compute,
      batch,
      sa: sizes.a,
      sb: sizes.b,
      sc: sizes.c,
      alpha,
      beta: c.beta,
    };
    if (c.epilogue !== 'none') args.bias = bias.p;
    if (c.epilogue === 'activation') Object.assign(args, { act: fn, aux: aux.p });
    if (c.epilogue === 'gradient') Object.assign(args, { act: fn, actgrad: 1, aux: aux.p });
    if (c.epilogue === 'residual') args.residual = residual.p;
    call('gemm', args);
    // Levels without bf16 products keep f32 operands as they are, and so do products of f16.
    const round = c.compute === 'bf16' && native.info().bf16Products ? roundBf16 : (x: number) => x;
    const want = Float64Array.from(out.values);
    const wantAux = Float64Array.from(aux.values);
    const scale = new Float64Array(want.length);
    for (let z = 0; z < batch; z++) {
      // Rows of A and columns of B, each one behind the other.
      const rows = new Float64Array(m * k);
      const columns = new Float64Array(n * k);
      for (let p = 0; p < k; p++) {
        for (let i = 0; i < m; i++)
          rows[i * k + p] = round(a.values[z * sizes.a + (c.ta ? p * lda + i : i * lda + p)]!);
        for (let j = 0; j < n; j++)
          columns[j * k + p] = round(b.values[z * sizes.b + (c.tb ? j * ldb + p : p * ldb + j)]!);
      }
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          let size = 1;
          for (let p = 0; p < k; p++) {
            const term = rows[i * k + p]! * columns[j * k + p]!;
            sum += term;
            size += Math.abs(term);
          }
          const e = z * sizes.c + i * ldc + j;
          let v = alpha * sum + c.beta * out.values[e]!;
          if (c.epilogue !== 'none') v += bias.values[j]!;
          if (c.epilogue === 'activation') {
            wantAux[e] = v;
            v = activation(fn, v);
          }
          if (c.epilogue === 'gradient') v *= activationGradient(fn, aux.values[e]!);
          if (c.epilogue === 'residual') v += residual.values[e]!;
          want[e] = v;
          scale[e] = size * (c.epilogue === 'gradient' || c.epilogue === 'activation' ? 6 : 1);
        }
    }
    const what = JSON.stringify({ ...c, fn });
    const tolerance = { f32: 2e-6, bf16: 5e-3, f16: 6e-4 }[c.types.c];
    expectClose(arena.get(out), want, tolerance, scale, what);
    if (c.epilogue === 'activation') expectClose(arena.get(aux), wantAux, tolerance, scale, `${what} aux`);
  }

  // Catches wrong edges of tiles, panels and K blocks, swapped strides, and a wrong order of the epilogue.
  test('equals double precision on random odd shapes, types and epilogues', () => {
    const r = new Random(1);
    for (let i = 0; i < CASES; i++) {
      const half = r.pick(HALVES);
      const pickType = () => r.pick(['f32', half] as const);
      const batch = r.pick([1, 1, 1, 3]);
      const c: Case = {
        m: r.int(1, 70),
        n: r.int(1, 90),
        k: r.int(1, 120),
        ta: r.uniform() < 0.5,
        tb: r.uniform() < 0.5,
        types: { a: pickType(), b: pickType(), c: pickType() },
        compute: pickType(),
        beta: r.pick([0, 1]),
        batch,
        epilogue: r.pick(['none', 'bias', 'activation', 'gradient', 'residual'] as const),
        threads: r.pick([1, 2, 3]),
      };
      check(c, 100 + i);
      arena.clear();
    }
  });

  // Catches lost partial sums between K blocks (1024 and 512 deep), and blocks of M and N.
  test.each([
    { m: 37, n: 65, k: 1703, c: 'bf16', epilogue: 'activation' },
    { m: 33, n: 70, k: 1101, c: 'f16', epilogue: 'residual' },
    { m: 129, n: 33, k: 901, c: 'f32', epilogue: 'none' },
    { m: 301, n: 530, k: 45, c: 'f32', epilogue: 'gradient' },
  ] as const)('several blocks: $m x $n x $k $c $epilogue', ({ m, n, k, c, epilogue }) => {
    for (const compute of TYPES)
      for (const [ta, tb] of [
        [false, false],
        [true, false],
        [false, true],
      ] as const) {
        const types = { a: compute, b: compute, c };
        check({ m, n, k, ta, tb, types, compute, beta: 1, batch: 1, epilogue, threads: 2 }, m + k);
        arena.clear();
      }
  });

  // Catches lost partial sums where packed B does not reach down all of K, and B packed at the wrong depth.
  test('a product too deep for its columns to be packed at once', () => {
    const [m, n, k] = [15, 513, 4300];
    for (const compute of ['f32', 'bf16'] as const)
      for (const [c, epilogue] of [
        ['bf16', 'residual'],
        ['f32', 'none'],
      ] as const) {
        const types = { a: compute, b: compute, c };
        check({ m, n, k, ta: false, tb: true, types, compute, beta: 1, batch: 1, epilogue, threads: 1 }, 7);
        arena.clear();
      }
  });

  // Catches wrong ends of rows and columns, types and strides where B is read without packing.
  test('a few rows times a transposed matrix', () => {
    for (const m of [1, 3, 4])
      for (const type of TYPES)
        for (const epilogue of ['none', 'bias', 'residual'] as const) {
          const types = { a: type, b: type, c: type };
          const shape = { m, n: 333, k: 77 + m, ta: false, tb: true };
          check({ ...shape, types, compute: type, beta: 1, batch: m === 3 ? 2 : 1, epilogue, threads: 2 }, 20 + m);
          arena.clear();
        }
  });

  // Catches a blocking that lets the number of threads change the bits.
  test('gives the same bits for any number of threads', () => {
    native.setLevel(level);
    const r = new Random(3);
    // The last is so deep that how much of K is packed at once depends on how N is cut.
    for (const [m, n, k] of [
      [200, 150, 900],
      [3, 290, 130],
      [45, 1030, 2100],
    ] as const)
      for (const type of TYPES) {
        const a = arena.put(r.array(m * k), type);
        const b = arena.put(r.array(n * k), type);
        const results = [1, 2, 5].map((threads) => {
          native.setThreads(threads);
          const out = arena.put(new Float32Array(m * n).fill(0.5), type);
          const types = { atype: a.type, btype: b.type, ctype: out.type, compute: a.type };
          call('gemm', { a: a.p, b: b.p, c: out.p, m, n, k, lda: k, ldb: k, ldc: n, tb: 1, beta: 1, ...types });
          return arena.get(out);
        });
        for (const other of results.slice(1)) expect(other.findIndex((x, i) => x !== results[0]![i])).toBe(-1);
        arena.clear();
      }
  });

  // Catches an in-place accumulation that reads what it has already overwritten.
  test('residual and aux may be the output itself', () => {
    native.setLevel(level);
    const r = new Random(4);
    const [m, n, k] = [45, 50, 800];
    const a = arena.put(r.array(m * k));
    const b = arena.put(r.array(n * k));
    const out = arena.put(r.array(m * n));
    const apart = arena.empty(m * n);
    const args = { a: a.p, b: b.p, m, n, k, lda: k, ldb: n, ldc: n, ldres: n };
    call('gemm', { ...args, c: apart.p, residual: out.p });
    call('gemm', { ...args, c: out.p, residual: out.p });
    const want = arena.get(apart);
    expect(arena.get(out).findIndex((x, i) => x !== want[i])).toBe(-1);
  });
});
