/** Products on the emulated GPU against double precision: layouts, types, alignments, epilogues, split depths. */
import { describe, expect, test } from 'vitest';
import { expectClose, Random, roundBf16, seed } from '../../native/harness.ts';
import { activation, activationGradient } from '../../native/reference.ts';
import type { CudaKernel } from '../../../../main/engine/executors/cuda/kernel.ts';
import { shapedLaunches, TILES } from '../../../../main/engine/executors/cuda/kernels/gemm.ts';
import type { Product } from '../../../../main/engine/executors/cuda/products.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { arrayOf, emulatedDevice, emulatorControls, fromF16, numbersOf, runKernel, toF16 } from '../harness.ts';
import type { FloatType } from '../harness.ts';

const why = whyNoEmulator();
const TYPES: readonly FloatType[] = ['f32', 'bf16', 'f16'];

type Epilogue = 'none' | 'bias' | 'activation' | 'gradient' | 'residual';

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly ta: boolean;
  readonly tb: boolean;
  readonly a: FloatType;
  readonly b: FloatType;
  readonly c: FloatType;
  readonly compute: FloatType;
  readonly tf32?: boolean;
  readonly beta: number;
  readonly batch: number;
  readonly epilogue: Epilogue;
  /** Rows begin at multiples of so many elements. */
  readonly align: number;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
/** To nearest with ten bits behind the point, halves away from zero. */
function roundTf32(x: number): number {
  float[0] = x;
  bits[0] = (bits[0]! + 0x1000) & 0xffffe000;
  return float[0];
}

const roundTo = { f32: (x: number) => x, bf16: roundBf16, f16: (x: number) => fromF16(toF16(x)) };
const TOLERANCE = { f32: 2e-6, bf16: 5e-3, f16: 7e-4 };

async function check(given: Case, r: Random, kernel: string | CudaKernel = 'gemm'): Promise<void> {
  const { m, n, k, batch, align } = given;
  const padded = (columns: number) => Math.ceil((columns + r.int(0, 3)) / align) * align;
  const [lda, ldb, ldc] = [padded(given.ta ? m : k), padded(given.tb ? k : n), padded(n)];
  const [ra, rb] = [given.ta ? k : m, given.tb ? n : k];
  // What lies behind a row is no number, and must not count.
  const matrix = (rows: number, columns: number, ld: number, scale: number) => {
    const numbers = r.array(batch * rows * ld, scale);
    for (let i = 0; i < numbers.length; i++) if (i % ld >= columns) numbers[i] = NaN;
    return numbers;
  };
  const [auxtype, restype, biastype] = [r.pick(TYPES), r.pick(TYPES), r.pick(TYPES)];
  const a = arrayOf(given.a, matrix(ra, given.ta ? m : k, lda, 1));
  const b = arrayOf(given.b, matrix(rb, given.tb ? k : n, ldb, 1));
  const c = arrayOf(given.c, r.array(batch * m * ldc));
  const bias = arrayOf(biastype, r.array(n));
  const aux = arrayOf(auxtype, r.array(batch * m * ldc, 3));
  const residual = arrayOf(restype, r.array(batch * m * ldc));
  const before = { c: numbersOf(given.c, c.slice()), aux: numbersOf(auxtype, aux.slice()) };
  const fn = r.pick(['gelu', 'gelu_tanh', 'relu2', 'silu', 'relu'] as const);
  const alpha = given.epilogue === 'none' ? 1 : r.pick([1, 0.5]);
  const uses = (epilogue: Epilogue) => given.epilogue === epilogue;
  await runKernel(kernel, {
    a,
    b,
    c,
    bias: uses('none') ? null : bias,
    aux: uses('activation') || uses('gradient') ? aux : null,
    residual: uses('residual') ? residual : null,
    m,
    n,
    k,
    lda,
    ldb,
    ldc,
    ldaux: ldc,
    ldres: ldc,
    ta: given.ta,
    tb: given.tb,
    atype: given.a,
    btype: given.b,
    ctype: given.c,
    auxtype,
    restype,
    biastype,
    compute: given.tf32 === true ? 'tf32' : given.compute,
    act: uses('activation') || uses('gradient') ? fn : 'none',
    actgrad: uses('gradient'),
    batch,
    sa: ra * lda,
    sb: rb * ldb,
    sc: m * ldc,
    alpha,
    beta: given.beta,
  });
  const round = given.tf32 === true ? roundTf32 : roundTo[given.compute];
  const [va, vb] = [numbersOf(given.a, a).map(round), numbersOf(given.b, b).map(round)];
  const [vbias, vresidual] = [numbersOf(biastype, bias), numbersOf(restype, residual)];
  const want = Float64Array.from(before.c);
  const wantAux = Float64Array.from(before.aux);
  const scale = new Float64Array(want.length).fill(1);
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        let size = 1;
        for (let p = 0; p < k; p++) {
          const x = va[z * ra * lda + (given.ta ? p * lda + i : i * lda + p)]!;
          const y = vb[z * rb * ldb + (given.tb ? j * ldb + p : p * ldb + j)]!;
          const term = x * y;
          sum += term;
          size += Math.abs(term);
        }
        const e = z * m * ldc + i * ldc + j;
        let v = alpha * sum + given.beta * before.c[e]!;
        if (!uses('none')) v += vbias[j]!;
        if (uses('activation')) {
          wantAux[e] = v;
          v = activation(fn, v);
        }
        if (uses('gradient')) v *= activationGradient(fn, before.aux[e]!);
        if (uses('residual')) v += vresidual[e]!;
        want[e] = v;
        scale[e] = size * (uses('gradient') || uses('activation') ? 6 : 1);
      }
  const what = JSON.stringify({ ...given, fn, auxtype, restype, biastype });
  expectClose(numbersOf(given.c, c), want, TOLERANCE[given.c], scale, what);
  if (uses('activation')) expectClose(numbersOf(auxtype, aux), wantAux, TOLERANCE[auxtype], scale, `${what} aux`);
}

describe.skipIf(why !== undefined)(`gemm on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  const EPILOGUES: readonly Epilogue[] = ['none', 'bias', 'activation', 'gradient', 'residual'];

  // Catches wrong edges of tiles, swapped strides, a wrong order of the epilogue, and rows that are read past their end.
  test('random shapes, types and epilogues', async () => {
    const r = new Random(1);
    for (let i = 0; i < 16; i++)
      await check(
        {
          m: r.int(1, 90),
          n: r.int(1, 90),
          k: r.int(1, 80),
          ta: r.uniform() < 0.5,
          tb: r.uniform() < 0.5,
          a: r.pick(TYPES),
          b: r.pick(TYPES),
          c: r.pick(TYPES),
          compute: r.pick(TYPES),
          beta: r.pick([0, 1]),
          batch: r.pick([1, 1, 3]),
          epilogue: r.pick(EPILOGUES),
          align: r.pick([1, 4, 8]),
        },
        r,
      );
  });

  // Catches wrong fragments of either layout, stages that are overtaken, and 16 bytes that reach past the end of a row.
  test.each(
    (['bf16', 'f16'] as const).flatMap((type) =>
      [
        [false, false],
        [false, true],
        [true, false],
      ].map(([ta, tb]) => ({ type, ta: ta!, tb: tb! })),
    ),
  )('aligned $type, transposed $ta $tb', async ({ type, ta, tb }) => {
    const r = new Random(2 + Number(ta) + 2 * Number(tb));
    await emulatedDevice();
    const { conflicts } = emulatorControls();
    const before = conflicts();
    for (const [m, n, k] of [
      [r.int(65, 130), r.int(40, 64), r.int(1, 300)],
      [r.int(20, 64), r.int(65, 140), r.int(130, 200)],
    ] as const) {
      const types = { a: type, b: type, c: r.pick([type, 'f32'] as const), compute: type };
      await check(
        { m, n, k, ta, tb, ...types, beta: r.pick([0, 1]), batch: 2, epilogue: r.pick(EPILOGUES), align: 8 },
        r,
      );
    }
    expect(conflicts() - before, 'bank conflicts of ldmatrix').toBe(0);
  });

  // Catches parts that are lost, added twice or in another order, and tiles of other sizes.
  test.each([
    { m: 70, n: 130, k: 1601, type: 'bf16', c: 'f32', epilogue: 'activation' },
    { m: 33, n: 66, k: 1100, type: 'f32', c: 'bf16', epilogue: 'residual' },
    { m: 66, n: 30, k: 2049, type: 'f16', c: 'f16', epilogue: 'gradient' },
  ] as const)(
    'a depth summed in parts: $m × $n × $k $type',
    { timeout: 60_000 },
    async ({ m, n, k, type, c, epilogue }) => {
      const types = { a: type, b: type, c, compute: type };
      await check({ m, n, k, ta: true, tb: false, ...types, beta: 1, batch: 1, epilogue, align: 8 }, new Random(m));
    },
  );

  // Catches a tile that only large matrices take: here small ones do.
  test.each(TILES)('every kernel of tiles of $rows × $columns', async (tile) => {
    const r = new Random(5 + tile.rows + tile.columns);
    const kernel: CudaKernel = {
      launches: (fields) => {
        const product = fields as unknown as Product;
        return shapedLaunches(product, { tile, splits: 1, kper: Math.ceil(product.k / 32) * 32 }, 0);
      },
    };
    const layouts = [
      { ta: false, tb: false },
      { ta: false, tb: true },
      { ta: true, tb: false },
    ];
    const every = [
      ...(['bf16', 'f16'] as const).flatMap((type) => layouts.map((layout) => ({ type, ...layout, tf32: false }))),
      { type: 'f32' as const, ...r.pick(layouts), tf32: false },
      { type: 'f32' as const, ...r.pick(layouts), tf32: true },
    ];
    for (const { type, ...given } of every) {
      const types = { a: type, b: type, c: type, compute: type };
      const shape = { m: tile.rows + r.int(1, 9), n: tile.columns - r.int(1, 9), k: r.int(1, 70), align: 8 };
      await check({ ...shape, ...types, ...given, beta: 0, batch: 1, epilogue: 'bias' }, r, kernel);
    }
  });

  test('tf32 rounds the operands to ten bits', async () => {
    const r = new Random(6);
    const types = { a: 'f32', b: 'f32', c: 'f32', compute: 'f32', tf32: true } as const;
    for (const [ta, tb] of [
      [false, true],
      [true, false],
    ] as const)
      await check(
        { m: 70, n: 37, k: r.int(1, 70), ta, tb, ...types, beta: 1, batch: 1, epilogue: 'none', align: r.pick([1, 4]) },
        r,
      );
  });

  test('nothing to sum leaves what the epilogue adds', async () => {
    const r = new Random(7);
    for (const type of TYPES) {
      const types = { a: type, b: type, c: type, compute: type };
      const shape = { m: 5, n: 7, k: 0, ta: true, tb: false, align: 8 };
      await check({ ...shape, ...types, beta: 1, batch: 1, epilogue: 'residual' }, r);
    }
  });

  // Catches an accumulation in place that reads what it has already overwritten.
  test('residual and aux may be the output itself', async () => {
    const r = new Random(8);
    const [m, n, k] = [45, 50, 1100];
    const [a, b] = [r.array(m * k), r.array(n * k)];
    for (const alias of ['residual', 'aux'] as const) {
      const given = r.array(m * n);
      const args = {
        a,
        b,
        m,
        n,
        k,
        lda: k,
        ldb: n,
        ldc: n,
        ldaux: n,
        ldres: n,
        ta: false,
        tb: false,
        batch: 1,
        sa: 0,
        sb: 0,
        atype: 'f32',
        btype: 'f32',
        ctype: 'f32',
        auxtype: 'f32',
        restype: 'f32',
        biastype: 'f32',
        compute: 'f32',
        sc: 0,
        alpha: 1,
        beta: 0,
        bias: null,
        aux: null,
        residual: null,
        act: 'silu',
        actgrad: alias === 'aux',
      };
      const apart = new Float32Array(m * n);
      const over = given.slice();
      await runKernel('gemm', { ...args, c: apart, [alias]: given });
      await runKernel('gemm', { ...args, c: over, [alias]: over });
      expect(over).toEqual(apart);
    }
  });
});
