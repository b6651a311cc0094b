/** Products by cuBLASLt: which it takes, the right call for each layout, and algorithms that a checkpoint can carry. The library is a fake one. */
import { describe, expect, onTestFinished, test } from 'vitest';
import koffi from 'koffi';
import { Cublas, CublasError } from '../../../main/engine/executors/cuda/cublas.ts';
import { kernelsFor } from '../../../main/engine/executors/cuda/kernels/index.ts';
import { LIBRARY_PRODUCT } from '../../../main/engine/executors/cuda/launch.ts';
import {
  asTable,
  DRIVER_ALONE,
  LIBRARY_WORKSPACE,
  OWN,
  profileOf,
  tableMismatch,
  usesLibrary,
} from '../../../main/engine/executors/cuda/products.ts';
import type { DeviceProfile, Product, ProductTable } from '../../../main/engine/executors/cuda/products.ts';
import { openDevice } from '../../../main/engine/executors/cuda/open.ts';
import { CudaSession } from '../../../main/engine/executors/cuda/session.ts';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { matmul, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { StateSpec } from '../../../main/engine/graph/program.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { expectClose, Random, seed } from '../native/harness.ts';
import { floats, NEAR, randomFloats } from './arrays.ts';
import { buildCublas, whyNoEmulator } from './emulator/build.ts';
import { emulatedCard, emulatorControls, heldReport, ownDevice } from './harness.ts';
import type { FloatType } from './harness.ts';

const why = whyNoEmulator();
const HOPPER = profileOf(90, true);

const LARGE: Product = {
  a: 256,
  b: 512,
  c: 768,
  m: 512,
  n: 256,
  k: 1024,
  lda: 1024,
  ldb: 256,
  ldc: 256,
  atype: 'bf16',
  btype: 'bf16',
  ctype: 'bf16',
  compute: 'bf16',
};

// Catches a product that the library would round otherwise, or that a card without it is planned for.
test('takes aligned products of 16 bits whose sums nothing is done to', () => {
  const taken: readonly Partial<Product>[] = [
    {},
    { ta: 1, lda: 512 },
    { ctype: 'f32', beta: 1 },
    { bias: 1024, biastype: 'bf16' },
    { batch: 3, sa: 512 * 1024, sb: 0, sc: 512 * 256 },
    { residual: 1024, restype: 'bf16', ldres: 256 },
    { atype: 'f16', btype: 'f16', ctype: 'f16', compute: 'f16' },
  ];
  for (const change of taken) expect(usesLibrary({ ...LARGE, ...change }, HOPPER), JSON.stringify(change)).toBe(true);
  const own: readonly Partial<Product>[] = [
    { bias: 1024, biastype: 'f32' },
    { act: 'gelu_tanh', aux: 1024 },
    { act: 'relu' },
    { atype: 'f32' },
    { atype: 'f32', btype: 'f32', compute: 'f32', ctype: 'f32' },
    { lda: 1028 },
    { m: 255 },
    { batch: 3, sa: 512 * 1024 + 4, sb: 0, sc: 512 * 256 },
    { residual: 1024, restype: 'f32', ldres: 256 },
    { residual: 1024, restype: 'bf16', ldres: 256, beta: 1 },
  ];
  for (const change of own) expect(usesLibrary({ ...LARGE, ...change }, HOPPER), JSON.stringify(change)).toBe(false);
  expect(usesLibrary(LARGE, DRIVER_ALONE)).toBe(false);
  for (const [capability, found] of [
    [89, true],
    [90, false],
    [120, true],
  ] as const)
    expect(usesLibrary(LARGE, profileOf(capability, found)), String(capability)).toBe(false);
  expect(usesLibrary(LARGE, profileOf(100, true))).toBe(true);
});

test('plans the workspace of the kind of device for products that the library runs, and ours for the others', () => {
  const scratch = (profile: DeviceProfile, change: Partial<Product> = {}) =>
    kernelsFor(profile)['gemm']!.scratch!({ ...LARGE, ...change }, []);
  expect(scratch(HOPPER)).toBe(32 * 2 ** 20);
  expect(scratch(HOPPER, { lda: 1028 })).toBe(scratch(DRIVER_ALONE, { lda: 1028 }));
});

test('says why algorithms of another card or version are not taken', () => {
  const table: ProductTable = { library: 130101, capability: 90, algorithms: {} };
  expect(tableMismatch(table, table)).toBeUndefined();
  expect(tableMismatch(table, { ...table, capability: 100 })).toMatch(/capability 9, and this one has 10/);
  expect(tableMismatch(table, { ...table, library: 120900 })).toMatch(
    /ran on cuBLASLt 13.1.1, and here cuBLASLt 12.9.0/,
  );
  expect(tableMismatch(table, { ...table, library: null })).toMatch(/ran on cuBLASLt 13.1.1, and here our own kernels/);
  // As a checkpoint gives them back.
  expect(asTable(JSON.parse(JSON.stringify(table)))).toEqual(table);
  for (const wrong of [undefined, null, 1, {}, { ...table, algorithms: { a: 1 } }, { ...table, library: '13' }])
    expect(asTable(wrong)).toBeUndefined();
});

describe.skipIf(why !== undefined)(`cuBLASLt, a fake one${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  async function begun(table?: ProductTable) {
    const [device, path] = [await ownDevice(), await buildCublas()];
    onTestFinished(() => device.dispose());
    device.library = new Cublas(path, 90, table);
    const put = (data: ArrayBufferView): number => {
      const address = device.allocate(data.byteLength);
      device.write(address, data);
      return address;
    };
    const workspace = device.allocate(LIBRARY_WORKSPACE);
    return { device, library: device.library, put, workspace };
  }

  interface Case {
    readonly m: number;
    readonly n: number;
    readonly k: number;
    readonly ta: number;
    readonly tb: number;
    readonly type: FloatType;
    readonly ctype: FloatType;
    readonly added: 'nothing' | 'itself' | 'residual';
    readonly batch?: number;
    readonly biased?: boolean;
  }

  function made(r: Random, { m, n, k, ta, tb, type, ctype, added, batch = 1, biased = false }: Case) {
    const padded = (columns: number) => Math.ceil(columns / 8) * 8 + 8 * r.int(0, 1);
    const [lda, ldb, ldc] = [padded(ta ? m : k), padded(tb ? k : n), padded(n)];
    // What is added lies as the result does where there are several.
    const ldres = batch === 1 ? padded(n) : ldc;
    const [sa, sb, sc] = [(ta ? k : m) * lda + 8, (tb ? n : k) * ldb + 16, m * ldc + 8];
    const [a, b] = [randomFloats(r, type, batch * sa), randomFloats(r, type, batch * sb)];
    const [c, residual] = [randomFloats(r, ctype, batch * sc), randomFloats(r, ctype, batch * Math.max(sc, m * ldres))];
    const bias = randomFloats(r, ctype, n);
    const [va, vb, vc, vr, vn] = [a.values(), b.values(), c.values(), residual.values(), bias.values()];
    const alpha = r.pick([1, 0.5]);
    const want = Float64Array.from(vc);
    for (let e = 0; e < batch; e++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++)
            sum += va[e * sa + (ta ? p * lda + i : i * lda + p)]! * vb[e * sb + (tb ? j * ldb + p : p * ldb + j)]!;
          const at = e * sc + i * ldc + j;
          const before = added === 'itself' ? vc[at]! : added === 'residual' ? vr[e * sc + i * ldres + j]! : 0;
          want[at] = alpha * sum + before + (biased ? vn[j]! : 0);
        }
    const fields = {
      m,
      n,
      k,
      ta,
      tb,
      lda,
      ldb,
      ldc,
      ldres,
      batch,
      sa,
      sb,
      sc,
      alpha,
      beta: added === 'itself' ? 1 : 0,
      compute: type,
      atype: type,
      btype: type,
      ctype,
      restype: ctype,
      biastype: ctype,
      act: 'none',
    };
    return { a, b, c, residual, bias, want, fields };
  }

  // Catches operands in the wrong order, a layout that is not what lies in memory, and a matrix that is added once too often.
  test('every layout, type and addition', async () => {
    const r = new Random(1);
    const { device, library, put, workspace } = await begun();
    for (const [ta, tb] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      for (const added of ['nothing', 'itself', 'residual'] as const) {
        const type = r.pick(['bf16', 'f16'] as const);
        const ctype = r.pick([type, 'f32'] as const);
        const sizes = { m: r.int(1, 30), n: r.int(1, 30), k: r.int(1, 40), batch: r.pick([1, 3]) };
        const given: Case = { ...sizes, ta, tb, type, ctype, added, biased: r.int(0, 1) === 1 };
        const { a, b, c, residual, bias, want, fields } = made(r, given);
        const address = put(c.data);
        const addresses = { a: put(a.data), b: put(b.data), c: address };
        const product = {
          ...fields,
          ...addresses,
          ...(added === 'residual' ? { residual: put(residual.data) } : {}),
          ...(given.biased ? { bias: put(bias.data) } : {}),
        } as Product;
        // Twice: made ready, and made ready before; what is added to itself counts twice then.
        expect(library.multiply(product, workspace, device.stream)).toBe(true);
        if (added !== 'itself') library.multiply(product, workspace, device.stream);
        device.read(address, c.data);
        expectClose(c.values(), want, NEAR[ctype], 1 + given.k / 8, JSON.stringify(given));
      }
  });

  test('the rule of products gives it what it takes', async () => {
    const r = new Random(2);
    const { device, put, workspace } = await begun();
    const given: Case = { m: 264, n: 256, k: 256, ta: 0, tb: 1, type: 'bf16', ctype: 'bf16', added: 'residual' };
    const { a, b, c, residual, want, fields } = made(r, given);
    const address = put(c.data);
    const call = { ...fields, a: put(a.data), b: put(b.data), c: address, residual: put(residual.data) };
    const launches = kernelsFor(HOPPER)['gemm']!.launches(call, [], workspace);
    expect(launches.map(({ fn }) => fn)).toEqual([LIBRARY_PRODUCT]);
    for (const launch of launches) device.launch(launch);
    device.read(address, c.data);
    expectClose(c.values(), want, NEAR.bf16, 1 + given.k / 8, 'by the rule');
  });

  // Catches a resumed run that asks the library again, and an algorithm that needs more than the plan holds.
  test('algorithms are chosen once, within the workspace, and remembered', async () => {
    const shape = {
      m: 8,
      n: 8,
      k: 8,
      lda: 8,
      ldb: 8,
      ldc: 8,
      ctype: 'f32',
      compute: 'bf16',
      atype: 'bf16',
      btype: 'bf16',
    };
    const chosen = async (table?: ProductTable) => {
      const { device, library, put, workspace } = await begun(table);
      const [a, b, c] = [
        put(floats('bf16', new Float32Array(64)).data),
        put(new Uint16Array(64)),
        put(new Float32Array(64)),
      ];
      const runs = library.multiply({ ...shape, a, b, c } as Product, workspace, device.stream);
      device.synchronize();
      return { runs, table: library.table, remarks: library.remarks };
    };
    // The second word of the fake's algorithms is their number; the first, which is number 0, takes more than is planned.
    const numbers = ({ table: { algorithms } }: { table: ProductTable }) =>
      Object.values(algorithms).map((text) => Number(Buffer.from(text, 'base64').readBigUInt64LE(8)));
    const first = await chosen();
    expect(numbers(first)).toEqual([1]);
    const [key, text] = Object.entries(first.table.algorithms)[0]!;
    const other = Buffer.from(text, 'base64');
    other.writeBigUInt64LE(2n, 8);
    const kept: ProductTable = { ...first.table, algorithms: { [key]: other.toString('base64'), unused: 'AAAA' } };
    expect(await chosen(kept)).toEqual({ runs: true, table: kept, remarks: [] });
    expect(numbers(await chosen({ ...kept, library: 1 }))).toEqual([1]);
    // One that this library does not know is chosen anew, and so is one that needs more than is planned; neither in silence.
    const large = Buffer.from(text, 'base64');
    large.writeBigUInt64LE(0n, 8);
    for (const bytes of [Buffer.alloc(64, 7), Buffer.alloc(3), large]) {
      const again = await chosen({ ...kept, algorithms: { [key]: bytes.toString('base64') } });
      expect(numbers(again)).toEqual([1]);
      expect(again.remarks).toEqual([`cuBLASLt 13.0.0 no longer runs the product ${key} as it did`]);
    }
    // What it had no algorithm for stays ours.
    const refused: ProductTable = { ...kept, algorithms: { [key]: OWN } };
    expect(await chosen(refused)).toEqual({ runs: false, table: refused, remarks: [] });
  });

  const STATES = ['a', 'b'].map((name): StateSpec => ({
    name,
    shape: [256, 256],
    dtype: 'bf16',
    category: 'parameters',
    scope: '',
  }));
  function multiplying(out: 'bf16' | 'f32' = 'bf16') {
    const graph = newGraph();
    const [x, y] = ['a', 'b'].map((name) => state(graph, name, [256, 256], 'bf16')) as [Value, Value];
    return program('multiply', graph, { product: matmul(x, y, { out }) }, []);
  }

  // Catches a program that is planned without the library's workspace, and products that a recorded graph forgets.
  test('a session gives it the products that it was planned for, in recorded graphs too', async () => {
    const path = await buildCublas();
    const seen: string[] = [];
    const session = new CudaSession(openDevice(await emulatedCard(path)), STATES, (piece) => {
      for (const { launch } of piece?.launches ?? []) seen.push(launch.fn);
    });
    onTestFinished(() => session.dispose());
    expect(session).toMatchObject({ products: `cuBLASLt 13.0.0 (${path})`, remarks: [] });
    const r = new Random(4);
    const [a, b] = [randomFloats(r, 'bf16', 65536).values(), randomFloats(r, 'bf16', 65536).values()];
    session.write('a', a);
    session.write('b', b);
    const loaded = session.load(multiplying());
    // Chosen before anything runs.
    expect(Object.keys(session.decisions().algorithms)).toHaveLength(1);
    expect(loaded.plan.arenaBytes).toBeGreaterThan(LIBRARY_WORKSPACE);
    const runs = [await session.run(loaded, {}), await session.run(loaded, {}), await session.run(loaded, {})];
    expect(new Set(seen)).toEqual(new Set([LIBRARY_PRODUCT]));
    const want = Float64Array.from({ length: 65536 }, (_, i) => {
      let sum = 0;
      for (let p = 0; p < 256; p++) sum += a[(i & ~255) + p]! * b[p * 256 + (i & 255)]!;
      return sum;
    });
    for (const { product } of runs) expectClose(product as Float32Array, want, NEAR.bf16, 32, 'by a session');
  });

  // Catches a session that asks the library again where a checkpoint says what it did: it would add in another order.
  test('decisions of an earlier session give the same bits, though the library would choose otherwise now', async () => {
    onTestFinished(() => void delete process.env['EMU_CUBLAS_FIRST']);
    const path = await buildCublas();
    const r = new Random(5);
    const [a, b] = [randomFloats(r, 'bf16', 65536).values(), randomFloats(r, 'bf16', 65536).values()];
    const productOf = async (decided?: unknown) => {
      const session = new CudaSession(openDevice(await emulatedCard(path), decided), STATES);
      onTestFinished(() => session.dispose());
      session.write('a', a);
      session.write('b', b);
      const { product } = await session.run(session.load(multiplying('f32')), {});
      return { product, decided: JSON.parse(JSON.stringify(session.decisions())) as unknown, remarks: session.remarks };
    };
    const first = await productOf();
    process.env['EMU_CUBLAS_FIRST'] = '2';
    expect(await productOf(first.decided)).toEqual({ ...first, remarks: [] });
    expect((await productOf()).product).not.toEqual(first.product);
  });

  // Every call of the library, failing at its first and at later times: a clear ending, and nothing is left behind.
  test.each([
    ['cublasLtCreate', 3],
    ['cublasLtMatmulDescCreate', 3],
    ['cublasLtMatmulDescSetAttribute', 7],
    ['cublasLtMatrixLayoutCreate', 3],
    ['cublasLtMatmulPreferenceCreate', 3],
    ['cublasLtMatmulPreferenceSetAttribute', 7],
    ['cublasLtMatmulAlgoGetHeuristic', 14],
    ['cublasLtMatmul', 13],
    ['cublasLtMatmul', 3],
  ])('%s that fails with %i ends a session clearly', async (call, code) => {
    const path = await buildCublas();
    const objects = koffi.load(path).func('int emuObjects()');
    const [before, held] = [objects() as number, await heldReport()];
    const controls = emulatorControls();
    onTestFinished(() => controls.fail('', 0, 0));
    let failed = 0;
    for (let n = 1; n <= 6; n++) {
      let session: CudaSession | undefined;
      controls.fail(call, n, code);
      try {
        session = new CudaSession(openDevice(await emulatedCard(path)), STATES);
        const loaded = session.load(multiplying());
        await session.run(loaded, {});
        await session.run(loaded, {});
      } catch (error) {
        failed++;
        expect((error as Error).message).toContain(call);
        if (code === 3) expect(error).toBeInstanceOf(OutOfMemoryError);
      } finally {
        session?.dispose();
        controls.fail('', 0, 0);
      }
      expect(objects(), `the ${n}th ${call}`).toBe(before);
      expect(await heldReport(), `the ${n}th ${call}`).toEqual(held);
    }
    expect(failed).toBeGreaterThan(0);
  });

  test('a library that cannot be used is passed over, and said', async () => {
    const path = await buildCublas();
    const controls = emulatorControls();
    onTestFinished(() => controls.fail('', 0, 0));
    const said = async (cublas: string, decided?: ProductTable) => {
      const session = new CudaSession(openDevice(await emulatedCard(cublas), decided), []);
      onTestFinished(() => session.dispose());
      return { products: session.products, remarks: session.remarks, decided: session.decisions() };
    };
    const own: ProductTable = { capability: 90, library: null, algorithms: {} };
    controls.fail('cublasLtCreate', 1, 1);
    expect(await said(path)).toEqual({
      products: 'own kernels',
      remarks: [`${path} cannot be used (cublasLtCreate: cuBLAS status 1): products run on our own kernels`],
      decided: own,
    });
    expect((await said('/nowhere/libcublasLt.so.13')).remarks).toEqual([
      expect.stringMatching(/^\/nowhere\/libcublasLt.so.13 cannot be used \(.+\): products run on our own kernels$/u),
    ]);
    // A run that began without it has other bits with it.
    expect(await said(path, own)).toEqual({
      products: 'own kernels',
      remarks: [`products go on with our own kernels, as they began, though ${path} is here now`],
      decided: own,
    });
    const other = { capability: 90, library: 120_900, algorithms: {} };
    expect((await said(path, other)).remarks).toEqual([
      expect.stringMatching(
        /^its products ran on cuBLASLt 12.9.0, and here cuBLASLt 13.0.0 .*: from here on numbers may/u,
      ),
    ]);
  });

  // Catches a product that nobody runs, and one that is run otherwise by who goes on.
  test('what the library has no algorithm for runs on our kernels, and is written down', async () => {
    process.env['EMU_CUBLAS_LEAST'] = '300';
    onTestFinished(() => void delete process.env['EMU_CUBLAS_LEAST']);
    const r = new Random(3);
    const { device, library, put, workspace } = await begun();
    const given: Case = { m: 264, n: 256, k: 256, ta: 0, tb: 0, type: 'bf16', ctype: 'f32', added: 'itself' };
    const { a, b, c, want, fields } = made(r, given);
    const address = put(c.data);
    const call = { ...fields, a: put(a.data), b: put(b.data), c: address };
    for (const launch of kernelsFor(HOPPER)['gemm']!.launches(call, [], workspace)) device.launch(launch);
    device.read(address, c.data);
    expectClose(c.values(), want, NEAR.f32, 1 + given.k / 8, 'by our kernels');
    expect(Object.values(library.table.algorithms)).toEqual([OWN]);
  });

  test('what the library refuses is an error that names the call', async () => {
    const { library, device, workspace } = await begun();
    const wrong = { ...LARGE, ldb: 8 };
    expect(() => library.multiply(wrong, workspace, device.stream)).toThrow(CublasError);
    expect(() => library.multiply(wrong, workspace, device.stream)).toThrow(
      /cublasLtMatmulAlgoGetHeuristic.* status 7/,
    );
  });
});
