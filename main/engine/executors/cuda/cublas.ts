/**
 * cuBLASLt as TypeScript sees it, through koffi: products of matrices, each with an algorithm that is chosen once and can be written down. Matrices
 * are row-major here and column-major there, so C = A B is asked for as Cᵀ = Bᵀ Aᵀ, which is the same memory.
 */
import koffi from 'koffi';
import type { Handle } from './driver.ts';
import { DeviceCallError } from './errors.ts';
import { LIBRARY_WORKSPACE, libraryName, OWN, productKey, tableMismatch } from './products.ts';
import type { Product, ProductTable } from './products.ts';

/** By our name; all but the first return a cublasStatus_t, 0 for success. */
const DECLARATIONS = {
  version: 'size_t cublasLtGetVersion()',
  create: 'int cublasLtCreate(_Out_ void **)',
  destroy: 'int cublasLtDestroy(void *)',
  createProduct: 'int cublasLtMatmulDescCreate(_Out_ void **, int, int)',
  setProduct: 'int cublasLtMatmulDescSetAttribute(void *, int, const void *, size_t)',
  destroyProduct: 'int cublasLtMatmulDescDestroy(void *)',
  createLayout: 'int cublasLtMatrixLayoutCreate(_Out_ void **, int, uint64_t, uint64_t, int64_t)',
  setLayout: 'int cublasLtMatrixLayoutSetAttribute(void *, int, const void *, size_t)',
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
const PRODUCT_EPILOGUE = 7;
const PRODUCT_BIAS = 8;
const EPILOGUE_BIAS = 4;
const LAYOUT_BATCH = 5;
const LAYOUT_STRIDE = 6;
const PREFER_WORKSPACE = 1;
const PREFER_ALIGNMENTS = [5, 6, 7, 8];
const ALLOC_FAILED = 3;
const NOT_SUPPORTED = 15;
/** cublasLtMatmulHeuristicResult_t: the algorithm, the workspace that it takes, whether it can run, and what we do not read. */
const RESULT_BYTES = 96;
const ALGORITHM_BYTES = 64;
const RESULT_WORKSPACE = 64;
const RESULT_STATE = 72;
/** What rows of matrices begin at a multiple of, in bytes. */
const ALIGNMENT = 16;
/** What buffers begin at a multiple of. */
const BUFFER_ALIGNMENT = 256;

/** A call of cuBLASLt that failed. */
export class CublasError extends DeviceCallError {
  override readonly name = 'CublasError';
  constructor(name: LibraryFunction, code: number) {
    const call = /(cublas\w+)\(/.exec(DECLARATIONS[name])![1]!;
    super(`${call}: cuBLAS status ${code}`, call, code, code === ALLOC_FAILED);
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
interface Described {
  readonly product: Handle;
  readonly first: Handle;
  readonly second: Handle;
  readonly added: Handle;
  readonly result: Handle;
}

interface Prepared extends Described {
  readonly algorithm: Buffer;
}

/** Opens the library. @throws what the system's loader says */
function open(path: string): Library {
  const library = koffi.load(path);
  return Object.fromEntries(
    Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)]),
  ) as unknown as Library;
}

export class Cublas {
  readonly path: string;
  readonly version: number;
  /** Where it could not do what the given table says, for people. */
  readonly remarks: string[] = [];
  readonly #capability: number;
  readonly #library: Library;
  readonly #handle: Handle;
  /** Undefined: our kernels run it. */
  readonly #prepared = new Map<string, Prepared | undefined>();
  readonly #known: Readonly<Record<string, string>>;

  /**
   * For the card whose context is current.
   * @param table algorithms that a run began with; those of another library or kind of card are not taken
   * @throws what the system's loader says, CublasError
   */
  constructor(path: string, capability: number, table?: ProductTable) {
    this.path = path;
    this.#library = open(path);
    this.version = Number(this.#library.version());
    this.#capability = capability;
    const mismatch = table && tableMismatch(table, { capability, library: this.version });
    this.#known = table !== undefined && mismatch === undefined ? table.algorithms : {};
    this.#handle = this.#out('create', (slot) => [slot]);
  }

  /** Every algorithm that has been chosen, and those that were known before. */
  get table(): ProductTable {
    const chosen = [...this.#prepared].map(
      ([key, prepared]) => [key, prepared?.algorithm.toString('base64') ?? OWN] as const,
    );
    const algorithms = { ...this.#known, ...Object.fromEntries(chosen) };
    return { capability: this.#capability, library: this.version, algorithms };
  }

  /** Chooses how a product runs, unless it is chosen. @returns whether the library runs it @throws CublasError */
  prepare(product: Product): boolean {
    return this.#preparedFor(product) !== undefined;
  }

  /** Queues a product. @param workspace address of `LIBRARY_WORKSPACE` bytes @returns false: the library has no algorithm for it @throws CublasError */
  multiply(product: Product, workspace: number, stream: Handle): boolean {
    const prepared = this.#preparedFor(product);
    if (prepared === undefined) return false;
    const { a, b, c, bias = 0, residual = 0, alpha = 1, beta = 0 } = product;
    if (bias !== 0) this.#set('setProduct', prepared.product, PRODUCT_BIAS, int64(bias));
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
      LIBRARY_WORKSPACE,
      stream,
    );
    return true;
  }

  dispose(): void {
    for (const prepared of this.#prepared.values()) if (prepared !== undefined) this.#destroy(prepared);
    this.#prepared.clear();
    this.#library.destroy(this.#handle);
  }

  #destroy({ product, first, second, added, result }: Partial<Described>): void {
    if (product !== undefined) this.#library.destroyProduct(product);
    for (const layout of [first, second, added, result]) if (layout !== undefined) this.#library.destroyLayout(layout);
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

  #set(name: 'setProduct' | 'setLayout' | 'setPreference', of: Handle, which: number, value: Buffer): void {
    this.#call(name, of, which, value, value.length);
  }

  #preparedFor(product: Product): Prepared | undefined {
    const key = productKey(product);
    if (!this.#prepared.has(key)) this.#prepared.set(key, this.#prepare(product, key));
    return this.#prepared.get(key);
  }

  #prepare(product: Product, key: string): Prepared | undefined {
    if (this.#known[key] === OWN) return undefined;
    const described: { -readonly [name in keyof Described]?: Described[name] } = {};
    let algorithm: Buffer | undefined;
    try {
      this.#describe(product, described);
      const handles = described as Described;
      algorithm = this.#recalled(key, handles) ?? this.#chosen(handles);
      if (algorithm !== undefined) return { ...handles, algorithm };
      return undefined;
    } finally {
      if (algorithm === undefined) this.#destroy(described);
    }
  }

  /** Fills in what it makes as it makes it. */
  #describe(given: Product, into: { -readonly [name in keyof Described]?: Described[name] }): void {
    const { m, n, k, lda, ldb, ldc, ldres = 0, residual = 0, bias = 0, ta = 0, tb = 0, compute, ctype } = given;
    const { batch = 1, sa = 0, sb = 0, sc = 0 } = given;
    // Rows and columns of what lies in memory, read column by column.
    const layout = (
      name: keyof Described,
      type: string,
      sizes: readonly number[],
      ld: number,
      stride: number,
    ): void => {
      const made = (into[name] = this.#out('createLayout', (slot) => [slot, TYPES[type], ...sizes, ld]));
      if (batch === 1) return;
      this.#set('setLayout', made, LAYOUT_BATCH, int32(batch));
      this.#set('setLayout', made, LAYOUT_STRIDE, int64(stride));
    };
    const product = (into.product = this.#out('createProduct', (slot) => [slot, COMPUTE_32F, TYPES['f32']]));
    this.#set('setProduct', product, PRODUCT_TRANSA, int32(tb === 0 ? 0 : 1));
    this.#set('setProduct', product, PRODUCT_TRANSB, int32(ta === 0 ? 0 : 1));
    if (bias !== 0) {
      this.#set('setProduct', product, PRODUCT_EPILOGUE, int32(EPILOGUE_BIAS));
      // Algorithms are chosen by how it is aligned: as every buffer is.
      this.#set('setProduct', product, PRODUCT_BIAS, int64(BUFFER_ALIGNMENT));
    }
    layout('first', compute, tb === 0 ? [n, k] : [k, n], ldb, sb);
    layout('second', compute, ta === 0 ? [k, m] : [m, k], lda, sa);
    layout('added', ctype, [n, m], residual > 0 ? ldres : ldc, sc);
    layout('result', ctype, [n, m], ldc, sc);
  }

  /** The algorithm that the table names, where it can still run. */
  #recalled(key: string, { product, first, second, added, result }: Described): Buffer | undefined {
    const text = this.#known[key];
    if (text === undefined) return undefined;
    const algorithm = Buffer.from(text, 'base64');
    const checked = Buffer.alloc(RESULT_BYTES);
    const handles = [product, first, second, added, result];
    const code =
      algorithm.length === ALGORITHM_BYTES
        ? Number(this.#library.check(this.#handle, ...handles, algorithm, checked))
        : NOT_SUPPORTED;
    if (code === 0 && Number(checked.readBigUInt64LE(RESULT_WORKSPACE)) <= LIBRARY_WORKSPACE) return algorithm;
    this.remarks.push(`${libraryName(this.version)} no longer runs the product ${key} as it did`);
    return undefined;
  }

  /** The library's own first choice within the workspace; undefined where it has none. */
  #chosen({ product, first, second, added, result }: Described): Buffer | undefined {
    const preference = this.#out('createPreference', (slot) => [slot]);
    try {
      this.#set('setPreference', preference, PREFER_WORKSPACE, int64(LIBRARY_WORKSPACE));
      for (const which of PREFER_ALIGNMENTS) this.#set('setPreference', preference, which, int32(ALIGNMENT));
      const results = Buffer.alloc(RESULT_BYTES);
      const found = [0];
      const handles = [product, first, second, added, result];
      const code = Number(this.#library.heuristic(this.#handle, ...handles, preference, 1, results, found));
      if (code === NOT_SUPPORTED) return undefined;
      if (code !== 0) throw new CublasError('heuristic', code);
      if (found[0] === 0 || results.readInt32LE(RESULT_STATE) !== 0) return undefined;
      return Buffer.from(results.subarray(0, ALGORITHM_BYTES));
    } finally {
      this.#library.destroyPreference(preference);
    }
  }
}
