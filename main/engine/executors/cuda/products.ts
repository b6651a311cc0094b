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

/** What choices follow from, of a device and what is installed beside it. */
export interface DeviceProfile {
  /** Compute capability, 10 · major + minor. */
  readonly capability: number;
  /** Version of cuBLASLt, as it says itself; null: there is none. */
  readonly library: number | null;
}

/** Any device, with the driver alone. */
export const DRIVER_ALONE: DeviceProfile = { capability: 80, library: null };

/** From here on cuBLASLt has instructions that PTX for all devices has not; before, our kernels come close to it. */
const LIBRARY_CAPABILITY = 90;
/** Below this in any dimension a call of the library costs more than it gains. */
const LIBRARY_SIZE = 256;

const MIB = 2 ** 20;
/** Scratch memory of a product of the library, as NVIDIA advises: fixed, so that the plan knows it; algorithms that want more are not taken. */
export const libraryWorkspace = ({ capability }: DeviceProfile): number => (capability >= 90 ? 32 : 4) * MIB;

/** Whether cuBLASLt runs a product: of 16-bit operands in aligned rows, and nothing done to its sums that it would round otherwise than we do. */
export function usesLibrary(product: Product, profile: DeviceProfile): boolean {
  const { m, n, k, lda, ldb, ldc, atype, btype, ctype, compute, act = 'none', batch = 1, beta = 0 } = product;
  if (profile.library === null || profile.capability < LIBRARY_CAPABILITY) return false;
  if (compute !== 'bf16' && compute !== 'f16') return false;
  if (atype !== compute || btype !== compute || (ctype !== compute && ctype !== 'f32')) return false;
  if (product.bias || product.aux || act !== 'none' || batch !== 1) return false;
  if (Math.min(m, n, k) < LIBRARY_SIZE || lda % 8 > 0 || ldb % 8 > 0 || ldc % 8 > 0) return false;
  const { residual = 0, restype = ctype, ldres = 0 } = product;
  // It adds one matrix of the result's type.
  return residual === 0 || (restype === ctype && beta === 0 && ldres % 8 === 0);
}

/**
 * What the library ran each product with: the same algorithm gives the same bits on the same kind of device and version. Part of a checkpoint,
 * so that a resumed run does not ask the library's judgement again.
 */
export interface ProductTable {
  readonly library: number;
  readonly capability: number;
  /** Algorithms as the library wrote them, in base64, by {@link productKey}. */
  readonly algorithms: Readonly<Record<string, string>>;
}

/** What tells products of the library apart. */
export const productKey = ({
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
  ...rest
}: Product): string =>
  [
    `${m}x${n}x${k}`,
    `${ta === 0 ? 'n' : 't'}${tb === 0 ? 'n' : 't'}`,
    `${compute}-${ctype}`,
    `${lda},${ldb},${ldc}`,
    ...(rest.residual ? [`+${ldres}`] : rest.beta ? ['+c'] : []),
  ].join(' ');

/** Why a table is of no use here; undefined: its algorithms give the same bits. */
export function tableMismatch(table: ProductTable, { capability, library }: DeviceProfile): string | undefined {
  if (table.capability !== capability)
    return `products were chosen on compute capability ${table.capability / 10}, this device has ${capability / 10}`;
  if (table.library !== library)
    return `products were chosen with cuBLASLt ${table.library}, here is ${library ?? 'none'}`;
  return undefined;
}
