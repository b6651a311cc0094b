/**
 * Who multiplies: our kernels, or cuBLASLt where there is one and it is worth it. A function of shapes, types and the kind of device, never of a
 * measurement, so that a plan needs no card and a resumed run takes the same kernels.
 */

type Compute = 'f32' | 'tf32' | 'bf16' | 'f16';

/** C = residual + f(alpha op(A) op(B) + beta C + bias), as `gemm` of kernels.h; addresses are 0 where there is nothing. */
export interface Product {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly bias?: number;
  readonly aux?: number;
  readonly residual?: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly ldaux?: number;
  readonly ldres?: number;
  readonly ta?: number;
  readonly tb?: number;
  readonly atype: string;
  readonly btype: string;
  readonly ctype: string;
  readonly auxtype?: string;
  readonly restype?: string;
  readonly biastype?: string;
  readonly compute: Compute;
  readonly act?: string;
  readonly actgrad?: number;
  readonly batch?: number;
  readonly sa?: number;
  readonly sb?: number;
  readonly sc?: number;
  readonly alpha?: number;
  readonly beta?: number;
}

/** What plans and choices of kernels follow from, of a card and what is installed beside it. */
export type DeviceProfile = Readonly<{
  /** cuBLASLt multiplies what it is worth for. */
  library: boolean;
}>;

/** Any card, with the driver alone. */
export const DRIVER_ALONE: DeviceProfile = { library: false };
const WITH_LIBRARY: DeviceProfile = { library: true };

/**
 * Whether a card multiplies faster with cuBLASLt: Hopper and the Blackwell of data centres have instructions that PTX for all cards has not; on the
 * others our kernels come close to it. @param capability 10 · major + minor
 */
export const wantsLibrary = (capability: number): boolean => capability >= 90 && capability < 120;

/** @param found whether there is a cuBLASLt that the driver runs */
export const profileOf = (capability: number, found: boolean): DeviceProfile =>
  found && wantsLibrary(capability) ? WITH_LIBRARY : DRIVER_ALONE;

/** Below this in any dimension a call of the library costs more than it gains. */
const LIBRARY_SIZE = 256;

/** Scratch memory of a product of the library, as NVIDIA advises: fixed, so that the plan knows it; algorithms that want more are not taken. */
export const LIBRARY_WORKSPACE = 32 * 2 ** 20;

/**
 * Whether cuBLASLt runs a product: of 16-bit operands in aligned rows, and nothing done to its sums that it would round otherwise than we do.
 * Activations stay ours: in the library they are slower than a product and a pass as often as not.
 */
export function usesLibrary(product: Product, profile: DeviceProfile): boolean {
  const { m, n, k, lda, ldb, ldc, atype, btype, ctype, compute, act = 'none', beta = 0 } = product;
  if (!profile.library) return false;
  if (compute !== 'bf16' && compute !== 'f16') return false;
  if (atype !== compute || btype !== compute || (ctype !== compute && ctype !== 'f32')) return false;
  if (product.aux || act !== 'none') return false;
  const { batch = 1, sa = 0, sb = 0, sc = 0 } = product;
  const strides = batch === 1 ? [] : [sa, sb, sc];
  if (Math.min(m, n, k) < LIBRARY_SIZE || [lda, ldb, ldc, ...strides].some((each) => each % 8 > 0)) return false;
  // It adds one matrix and one row, of the result's type.
  const { bias = 0, biastype = ctype, residual = 0, restype = ctype, ldres = 0 } = product;
  if (bias !== 0 && biastype !== ctype) return false;
  return residual === 0 || (restype === ctype && beta === 0 && ldres % 8 === 0);
}

/**
 * What the library ran each product with: the same algorithm gives the same bits on the same kind of card and version. Part of a checkpoint,
 * so that a resumed run does not ask the library's judgement again.
 */
export interface ProductTable {
  /** Compute capability of the card, 10 · major + minor. */
  readonly capability: number;
  /** Version of cuBLASLt, as it says itself; null: our kernels alone multiplied. */
  readonly library: number | null;
  /** Algorithms as the library wrote them, in base64, by {@link productKey}; {@link OWN} where it has none. */
  readonly algorithms: Readonly<Record<string, string>>;
}

/** In the place of an algorithm: our kernels run this product. */
export const OWN = 'own';

/** What tells products of the library apart. */
export const productKey = (product: Product): string => {
  const {
    m,
    n,
    k,
    lda,
    ldb,
    ldc,
    ldres = 0,
    ta = 0,
    tb = 0,
    compute,
    ctype,
    batch = 1,
    sa = 0,
    sb = 0,
    sc = 0,
  } = product;
  return [
    `${m}x${n}x${k}`,
    `${ta === 0 ? 'n' : 't'}${tb === 0 ? 'n' : 't'}`,
    `${compute}-${ctype}`,
    `${lda},${ldb},${ldc}`,
    ...(product.residual ? [`+${ldres}`] : product.beta ? ['+c'] : []),
    ...(product.bias ? ['+bias'] : []),
    ...(batch === 1 ? [] : [`${batch}*${sa},${sb},${sc}`]),
  ].join(' ');
};

/** A table as JSON gave it back; undefined for anything else. */
export function asTable(value: unknown): ProductTable | undefined {
  const table = value as Partial<ProductTable> | null | undefined;
  const isOne =
    typeof table?.capability === 'number' &&
    (table.library === null || typeof table.library === 'number') &&
    typeof table.algorithms === 'object' &&
    table.algorithms !== null &&
    Object.values(table.algorithms).every((each) => typeof each === 'string');
  return isOne ? (table as ProductTable) : undefined;
}

/** 130101 as people write it: `cuBLASLt 13.1.1`. */
export const libraryName = (version: number): string =>
  `cuBLASLt ${[version / 10_000, (version / 100) % 100, version % 100].map(Math.floor).join('.')}`;

const whoMultiplied = (library: number | null): string => (library === null ? 'our own kernels' : libraryName(library));

/** Why a table is of no use here; undefined: its algorithms give the same bits. */
export function tableMismatch(
  table: ProductTable,
  { capability, library }: Pick<ProductTable, 'capability' | 'library'>,
): string | undefined {
  if (table.capability !== capability)
    return `it ran on a card of compute capability ${table.capability / 10}, and this one has ${capability / 10}`;
  if (table.library !== library)
    return `its products ran on ${whoMultiplied(table.library)}, and here ${whoMultiplied(library)} run them`;
  return undefined;
}
