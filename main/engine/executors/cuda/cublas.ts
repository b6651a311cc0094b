/**
 * cuBLASLt as TypeScript sees it, through koffi: products of matrices, each with an algorithm that is chosen once and can be written down. Matrices
 * are row-major here and column-major there, so C = A B is asked for as Cᵀ = Bᵀ Aᵀ, which is the same memory.
 */
import koffi from 'koffi';
import type { Handle } from './driver.ts';
import { libraryWorkspace, productKey, tableMismatch } from './products.ts';
import type { DeviceProfile, Product, ProductTable } from './products.ts';

/** By our name; all but the first return a cublasStatus_t, 0 for success. */
const DECLARATIONS = {
  version: 'size_t cublasLtGetVersion()',
  create: 'int cublasLtCreate(_Out_ void **)',
  destroy: 'int cublasLtDestroy(void *)',
  createProduct: 'int cublasLtMatmulDescCreate(_Out_ void **, int, int)',
  setProduct: 'int cublasLtMatmulDescSetAttribute(void *, int, const void *, size_t)',
  destroyProduct: 'int cublasLtMatmulDescDestroy(void *)',
  createLayout: 'int cublasLtMatrixLayoutCreate(_Out_ void **, int, uint64_t, uint64_t, int64_t)',
  destroyLayout: 'int cublasLtMatrixLayoutDestroy(void *)',
  createPreference: 'int cublasLtMatmulPreferenceCreate(_Out_ void **)',
  setPreference: 'int cublasLtMatmulPreferenceSetAttribute(void *, int, const void *, size_t)',
  destroyPreference: 'int cublasLtMatmulPreferenceDestroy(void *)',
  heuristic:
    'int cublasLtMatmulAlgoGetHeuristic(void *, void *, void *, void *, void *, void *, void *, int, void *, _Out_ int *)',
  check: 'int cublasLtMatmulAlgoCheck(void *, void *, void *, void *, void *, void *, const void *, void *)',
  multiply:
    'int cublasLtMatmul(void *, void *, const void *, uint64_t, void *, uint64_t, void *, const void *, uint64_t, void *, uint64_t, void *, const void *, uint64_t, size_t, void *)',
} as const;

type LibraryFunction = keyof typeof DECLARATIONS;
type Library = { readonly [name in LibraryFunction]: (...args: readonly unknown[]) => number | bigint };

// Numbers of cublasLt.h and library_types.h.
const COMPUTE_32F = 68;
const TYPES: Readonly<Record<string, number>> = { f32: 0, f16: 2, bf16: 14 };
const PRODUCT_TRANSA = 3;
const PRODUCT_TRANSB = 4;
const PREFER_WORKSPACE = 1;
const PREFER_ALIGNMENTS = [5, 6, 7, 8];
/** cublasLtMatmulHeuristicResult_t: the algorithm, the workspace that it takes, whether it can run, and what we do not read. */
const RESULT_BYTES = 96;
const ALGORITHM_BYTES = 64;
const RESULT_WORKSPACE = 64;
const RESULT_STATE = 72;
/** What rows of matrices begin at a multiple of, in bytes. */
const ALIGNMENT = 16;

/** A call of cuBLASLt that failed. */
export class CublasError extends Error {
  override readonly name = 'CublasError';
  readonly code: number;
  constructor(call: LibraryFunction, code: number, what = '') {
    super(`${/(cublas\w+)\(/.exec(DECLARATIONS[call])![1]}: cuBLAS status ${code}${what === '' ? '' : ` (${what})`}`);
    this.code = code;
  }
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const int64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

/** A product as the library knows it. The first operand there is B here. */
interface Prepared {
  readonly product: Handle;
  readonly first: Handle;
  readonly second: Handle;
  readonly added: Handle;
  readonly result: Handle;
  readonly algorithm: Buffer;
}

/** Opens the library. @throws what the system's loader says */
function open(path: string): Library {
  const library = koffi.load(path);
  return Object.fromEntries(
    Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)]),
  ) as unknown as Library;
}

/** Version of the cuBLASLt at a path, which needs no device. @throws what the system's loader says */
export const libraryVersion = (path: string): number => Number(open(path).version());

export class Cublas {
  readonly profile: DeviceProfile;
  readonly #library: Library;
  readonly #handle: Handle;
  readonly #prepared = new Map<string, Prepared>();
  readonly #known: Readonly<Record<string, string>>;

  /**
   * For the device whose context is current.
   * @param table algorithms that a run began with; those of another library or device are not taken
   * @throws what the system's loader says, CublasError
   */
  constructor(path: string, capability: number, table?: ProductTable) {
    this.#library = open(path);
    this.profile = { capability, library: Number(this.#library.version()) };
    this.#known = table !== undefined && tableMismatch(table, this.profile) === undefined ? table.algorithms : {};
    this.#handle = this.#out('create', (slot) => [slot]);
  }

  /** Every algorithm that has been chosen, and those that were known before. */
  get table(): ProductTable {
    const chosen = [...this.#prepared].map(([key, { algorithm }]) => [key, algorithm.toString('base64')] as const);
    const algorithms = { ...this.#known, ...Object.fromEntries(chosen) };
    return { library: this.profile.library!, capability: this.profile.capability, algorithms };
  }

  /** Queues a product. @param workspace address of `libraryWorkspace` bytes */
  multiply(product: Product, workspace: number, stream: Handle): void {
    const key = productKey(product);
    let prepared = this.#prepared.get(key);
    if (prepared === undefined) this.#prepared.set(key, (prepared = this.#prepare(product, key)));
    const { a, b, c, residual = 0, alpha = 1, beta = 0 } = product;
    this.#call(
      'multiply',
      this.#handle,
      prepared.product,
      float32(alpha),
      b,
      prepared.first,
      a,
      prepared.second,
      float32(residual > 0 ? 1 : beta),
      residual > 0 ? residual : c,
      prepared.added,
      c,
      prepared.result,
      prepared.algorithm,
      workspace,
      libraryWorkspace(this.profile),
      stream,
    );
  }

  dispose(): void {
    for (const { product, first, second, added, result } of this.#prepared.values()) {
      this.#library.destroyProduct(product);
      for (const layout of [first, second, added, result]) this.#library.destroyLayout(layout);
    }
    this.#prepared.clear();
    this.#library.destroy(this.#handle);
  }

  #call(name: LibraryFunction, ...args: readonly unknown[]): void {
    const code = Number(this.#library[name](...args));
    if (code !== 0) throw new CublasError(name, code);
  }

  #out(name: LibraryFunction, args: (slot: [Handle | null]) => readonly unknown[]): Handle {
    const slot: [Handle | null] = [null];
    this.#call(name, ...args(slot));
    return slot[0]!;
  }

  #prepare(given: Product, key: string): Prepared {
    const { m, n, k, lda, ldb, ldc, ldres = 0, residual = 0, ta = 0, tb = 0, compute, ctype } = given;
    // Rows and columns of what lies in memory, read column by column.
    const layout = (type: string, across: number, down: number, ld: number) =>
      this.#out('createLayout', (slot) => [slot, TYPES[type], across, down, ld]);
    const product = this.#out('createProduct', (slot) => [slot, COMPUTE_32F, TYPES['f32']]);
    this.#call('setProduct', product, PRODUCT_TRANSA, int32(tb === 0 ? 0 : 1), 4);
    this.#call('setProduct', product, PRODUCT_TRANSB, int32(ta === 0 ? 0 : 1), 4);
    const first = tb === 0 ? layout(compute, n, k, ldb) : layout(compute, k, n, ldb);
    const second = ta === 0 ? layout(compute, k, m, lda) : layout(compute, m, k, lda);
    const added = layout(ctype, n, m, residual > 0 ? ldres : ldc);
    const result = layout(ctype, n, m, ldc);
    const described = [product, first, second, added, result] as const;
    const algorithm = this.#recalled(key, described) ?? this.#chosen(key, described);
    return { product, first, second, added, result, algorithm };
  }

  /** The algorithm that the table names, where it can still run. */
  #recalled(key: string, described: readonly Handle[]): Buffer | undefined {
    const text = this.#known[key];
    if (text === undefined) return undefined;
    const algorithm = Buffer.from(text, 'base64');
    if (algorithm.length !== ALGORITHM_BYTES) return undefined;
    const result = Buffer.alloc(RESULT_BYTES);
    const code = Number(this.#library.check(this.#handle, ...described, algorithm, result));
    const fits = Number(result.readBigUInt64LE(RESULT_WORKSPACE)) <= libraryWorkspace(this.profile);
    return code === 0 && fits ? algorithm : undefined;
  }

  /** The library's own first choice within the workspace. */
  #chosen(key: string, described: readonly Handle[]): Buffer {
    const preference = this.#out('createPreference', (slot) => [slot]);
    try {
      this.#call('setPreference', preference, PREFER_WORKSPACE, int64(libraryWorkspace(this.profile)), 8);
      for (const which of PREFER_ALIGNMENTS) this.#call('setPreference', preference, which, int32(ALIGNMENT), 4);
      const results = Buffer.alloc(RESULT_BYTES);
      const found = [0];
      this.#call('heuristic', this.#handle, ...described, preference, 1, results, found);
      const state = results.readInt32LE(RESULT_STATE);
      if (found[0] === 0 || state !== 0) throw new CublasError('heuristic', state, `no algorithm for ${key}`);
      return Buffer.from(results.subarray(0, ALGORITHM_BYTES));
    } finally {
      this.#library.destroyPreference(preference);
    }
  }
}
