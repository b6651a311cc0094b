/** Products by cuBLASLt: which it takes, the right call for each layout, and algorithms that a checkpoint can carry. The library is a fake one. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Cublas, CublasError } from '../../../main/engine/executors/cuda/cublas.ts';
import { kernelsFor } from '../../../main/engine/executors/cuda/kernels/index.ts';
import { LIBRARY_PRODUCT } from '../../../main/engine/executors/cuda/launch.ts';
import {
  DRIVER_ALONE,
  libraryWorkspace,
  tableMismatch,
  usesLibrary,
} from '../../../main/engine/executors/cuda/products.ts';
import type { DeviceProfile, Product, ProductTable } from '../../../main/engine/executors/cuda/products.ts';
import { CudaSession } from '../../../main/engine/executors/cuda/session.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { matmul, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { StateSpec } from '../../../main/engine/graph/program.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { expectClose, Random, seed } from '../native/harness.ts';
import { floats, NEAR, randomFloats } from './arrays.ts';
import { buildCublas, whyNoEmulator } from './emulator/build.ts';
import { ownDevice } from './harness.ts';
import type { FloatType } from './harness.ts';

const why = whyNoEmulator();
const HOPPER: DeviceProfile = { capability: 90, library: 130000 };

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
    { residual: 1024, restype: 'bf16', ldres: 256 },
    { atype: 'f16', btype: 'f16', ctype: 'f16', compute: 'f16' },
  ];
  for (const change of taken) expect(usesLibrary({ ...LARGE, ...change }, HOPPER), JSON.stringify(change)).toBe(true);
  const own: readonly Partial<Product>[] = [
    { bias: 1024 },
    { act: 'gelu_tanh', aux: 1024 },
    { atype: 'f32' },
    { atype: 'f32', btype: 'f32', compute: 'f32', ctype: 'f32' },
    { lda: 1028 },
    { m: 255 },
    { batch: 2 },
    { residual: 1024, restype: 'f32', ldres: 256 },
    { residual: 1024, restype: 'bf16', ldres: 256, beta: 1 },
  ];
  for (const change of own) expect(usesLibrary({ ...LARGE, ...change }, HOPPER), JSON.stringify(change)).toBe(false);
  expect(usesLibrary(LARGE, DRIVER_ALONE)).toBe(false);
  expect(usesLibrary(LARGE, { ...HOPPER, capability: 89 })).toBe(false);
});

test('plans the workspace of the kind of device for products that the library runs, and ours for the others', () => {
  const scratch = (profile: DeviceProfile, change: Partial<Product> = {}) =>
    kernelsFor(profile)['gemm']!.scratch!({ ...LARGE, ...change }, []);
  expect(scratch(HOPPER)).toBe(32 * 2 ** 20);
  expect(scratch(HOPPER, { bias: 1024 })).toBe(scratch(DRIVER_ALONE, { bias: 1024 }));
  expect(libraryWorkspace({ ...HOPPER, capability: 89 })).toBe(4 * 2 ** 20);
});

test('says why algorithms of another card or version are not taken', () => {
  const table: ProductTable = { library: 130000, capability: 90, algorithms: {} };
  expect(tableMismatch(table, HOPPER)).toBeUndefined();
  expect(tableMismatch(table, { ...HOPPER, capability: 100 })).toMatch(/capability 9, this device has 10/);
  expect(tableMismatch(table, { ...HOPPER, library: 120900 })).toMatch(/cuBLASLt 130000, here is 120900/);
});

describe.skipIf(why !== undefined)(`cuBLASLt, a fake one${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`, () => {
  async function begun(table?: ProductTable, capability = 90) {
    const [device, path] = [await ownDevice(), await buildCublas()];
    onTestFinished(() => device.dispose());
    device.library = new Cublas(path, capability, table);
    const put = (data: ArrayBufferView): number => {
      const address = device.allocate(data.byteLength);
      device.write(address, data);
      return address;
    };
    const workspace = device.allocate(libraryWorkspace(device.library.profile));
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
  }

  function made(r: Random, { m, n, k, ta, tb, type, ctype, added }: Case) {
    const padded = (columns: number) => Math.ceil(columns / 8) * 8 + 8 * r.int(0, 1);
    const [lda, ldb, ldc, ldres] = [padded(ta ? m : k), padded(tb ? k : n), padded(n), padded(n)];
    const [a, b] = [randomFloats(r, type, (ta ? k : m) * lda), randomFloats(r, type, (tb ? n : k) * ldb)];
    const [c, residual] = [randomFloats(r, ctype, m * ldc), randomFloats(r, ctype, m * ldres)];
    const [va, vb, vc, vr] = [a.values(), b.values(), c.values(), residual.values()];
    const alpha = r.pick([1, 0.5]);
    const want = Float64Array.from(vc);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += va[ta ? p * lda + i : i * lda + p]! * vb[tb ? j * ldb + p : p * ldb + j]!;
        const before = added === 'itself' ? vc[i * ldc + j]! : added === 'residual' ? vr[i * ldres + j]! : 0;
        want[i * ldc + j] = alpha * sum + before;
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
      alpha,
      beta: added === 'itself' ? 1 : 0,
      compute: type,
      atype: type,
      btype: type,
      ctype,
      restype: ctype,
      act: 'none',
    };
    return { a, b, c, residual, want, fields };
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
        const given: Case = { m: r.int(1, 30), n: r.int(1, 30), k: r.int(1, 40), ta, tb, type, ctype, added };
        const { a, b, c, residual, want, fields } = made(r, given);
        const address = put(c.data);
        const addresses = { a: put(a.data), b: put(b.data), c: address };
        const more = added === 'residual' ? { residual: put(residual.data) } : {};
        const product = { ...fields, ...addresses, ...more } as Product;
        // Twice: made ready, and made ready before; what is added to itself counts twice then.
        library.multiply(product, workspace, device.stream);
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
    const launches = kernelsFor(device.library!.profile)['gemm']!.launches(call, [], workspace);
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
    const chosen = async (table?: ProductTable, capability = 90) => {
      const { device, library, put, workspace } = await begun(table, capability);
      const [a, b, c] = [
        put(floats('bf16', new Float32Array(64)).data),
        put(new Uint16Array(64)),
        put(new Float32Array(64)),
      ];
      library.multiply({ ...shape, a, b, c } as Product, workspace, device.stream);
      device.synchronize();
      return library.table;
    };
    // The second word of the fake's algorithms is their number; the first takes 24 MiB.
    const numbers = ({ algorithms }: ProductTable) =>
      Object.values(algorithms).map((text) => Number(Buffer.from(text, 'base64').readBigUInt64LE(8)));
    const first = await chosen();
    expect(numbers(first)).toEqual([0]);
    expect(numbers(await chosen(undefined, 89))).toEqual([1]);
    const key = Object.keys(first.algorithms)[0]!;
    const other = Buffer.from(first.algorithms[key]!, 'base64');
    other.writeBigUInt64LE(2n, 8);
    const kept: ProductTable = { ...first, algorithms: { [key]: other.toString('base64'), unused: 'AAAA' } };
    expect(await chosen(kept)).toEqual(kept);
    expect(numbers(await chosen({ ...kept, library: 1 }))).toEqual([0]);
    // One that this library does not know is chosen anew.
    const foreign = { ...kept, algorithms: { [key]: Buffer.alloc(64, 7).toString('base64') } };
    expect(numbers(await chosen(foreign))).toEqual([0]);
  });

  // Catches a program that is planned without the library's workspace, and products that a recorded graph forgets.
  test('a session gives it the products that it was planned for, in recorded graphs too', async () => {
    const [device, path] = [await ownDevice(), await buildCublas()];
    device.library = new Cublas(path, 90);
    const spec = (name: string): StateSpec => ({
      name,
      shape: [256, 256],
      dtype: 'bf16',
      category: 'parameters',
      scope: '',
    });
    const seen: string[] = [];
    const session = new CudaSession(device, ['a', 'b'].map(spec), (piece) => {
      for (const { launch } of piece?.launches ?? []) seen.push(launch.fn);
    });
    onTestFinished(() => session.dispose());
    const r = new Random(4);
    const [a, b] = [randomFloats(r, 'bf16', 65536).values(), randomFloats(r, 'bf16', 65536).values()];
    session.write('a', a);
    session.write('b', b);
    const graph = newGraph();
    const [x, y] = ['a', 'b'].map((name) => state(graph, name, [256, 256], 'bf16')) as [Value, Value];
    const loaded = session.load(program('multiply', graph, { product: matmul(x, y) }, []));
    expect(loaded.plan.arenaBytes).toBeGreaterThan(libraryWorkspace(device.library.profile));
    const runs = [await session.run(loaded, {}), await session.run(loaded, {}), await session.run(loaded, {})];
    expect(new Set(seen)).toEqual(new Set([LIBRARY_PRODUCT]));
    const want = Float64Array.from({ length: 65536 }, (_, i) => {
      let sum = 0;
      for (let p = 0; p < 256; p++) sum += a[(i & ~255) + p]! * b[p * 256 + (i & 255)]!;
      return sum;
    });
    for (const { product } of runs) expectClose(product as Float32Array, want, NEAR.bf16, 32, 'by a session');
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
