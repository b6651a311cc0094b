/** Matrix products: which kernel and tile run one, in how many parts its depth is summed, and the launches. */
import type { CallFields, CudaKernels } from '../kernel.ts';
import { blocksFor, LIBRARY_PRODUCT, sharedBytes } from '../launch.ts';
import type { Launch, LaunchValue } from '../launch.ts';
import { LIBRARY_WORKSPACE, usesLibrary } from '../products.ts';
import type { DeviceProfile, Product } from '../products.ts';

/** What else the kernels of gemm.h can do: see there. */
export interface Special {
  readonly grouped?: number;
  readonly groups?: number;
  readonly ends?: number;
  readonly target?: number;
  readonly best?: number;
  readonly sum?: number;
  readonly own?: number;
  readonly first?: number;
  readonly softcap?: number;
}

const NOTHING: Required<Special> & { readonly part: number } = {
  part: 0,
  ends: 0,
  target: 0,
  best: 0,
  sum: 0,
  own: 0,
  first: 0,
  grouped: 0,
  groups: 0,
  softcap: 0,
};

const DEFAULTS = {
  bias: 0,
  aux: 0,
  residual: 0,
  ldaux: 0,
  ldres: 0,
  ta: 0,
  tb: 0,
  auxtype: 'f32',
  restype: 'f32',
  biastype: 'f32',
  act: 'none',
  actgrad: 0,
  batch: 1,
  sa: 0,
  sb: 0,
  sc: 0,
  alpha: 1,
  beta: 0,
};

// --- choices: of shapes alone, so that they are the same on every card ---

export interface Tile {
  readonly rows: number;
  readonly columns: number;
}
export const TILES: readonly Tile[] = [
  { rows: 128, columns: 128 },
  { rows: 128, columns: 64 },
  { rows: 64, columns: 64 },
];
const SMALLEST = TILES.at(-1)!;

/** Blocks that keep a large card busy: one for each multiprocessor of an H100. */
const BUSY = 132;
/** Elements of the depth that a part is worth, and the most parts: each costs a round trip of C in f32. */
const PART_DEPTH = 512;
const MOST_PARTS = 16;
/** Ranges of the depth begin at multiples of what kernels take at once. */
const STEP = 32;

export interface Shape {
  readonly tile: Tile;
  readonly splits: number;
  /** Elements of the depth in each of the splits. */
  readonly kper: number;
}

const tilesOf = ({ m, n, batch = 1 }: Product, { rows, columns }: Tile): number =>
  blocksFor(m, rows) * blocksFor(n, columns) * batch;

/** The largest tile that keeps a card busy, where the depth may be summed in parts for it. */
function shapeOf(product: Product, special: Special = {}): Shape {
  const { m, n, k } = product;
  const whole = (special.grouped ?? 0) > 0 || (special.best ?? 0) > 0;
  const candidates = TILES.filter(
    (tile) => tile === SMALLEST || ((m > 64 || tile.rows <= 64) && (n > 64 || tile.columns <= 64)),
  );
  for (const tile of candidates) {
    const tiles = tilesOf(product, tile);
    const wanted = Math.min(Math.floor((2 * BUSY) / tiles), MOST_PARTS, Math.floor(k / PART_DEPTH));
    const splits = whole || tiles >= BUSY ? 1 : Math.max(1, wanted);
    if (tiles * splits < BUSY && tile !== SMALLEST) continue;
    const kper = Math.ceil(k / splits / STEP) * STEP;
    return { tile, splits: kper === 0 ? 1 : Math.ceil(k / kper), kper: Math.max(kper, STEP) };
  }
  throw new Error('no tile'); // the smallest always does
}

/** Special products are never the library's. */
const isLibrarys = (product: Product, special: Special, profile: DeviceProfile): boolean =>
  (special.grouped ?? 0) === 0 && (special.best ?? 0) === 0 && usesLibrary(product, profile);

/** Bytes of scratch memory: f32 for the parts of a product whose depth is split, and what the library may take. */
export function productScratch(product: Product, profile: DeviceProfile, special: Special = {}): number {
  const { m, n, batch = 1 } = product;
  const { splits } = shapeOf(product, special);
  const own = splits > 1 ? 4 * splits * batch * m * n : 0;
  return isLibrarys(product, special, profile) ? Math.max(LIBRARY_WORKSPACE, own) : own;
}

// --- kernels ---

/** Bytes that a warp's rows of 32 columns take while they are finished, and depth and stages of the pipeline, as gemm.h has them. */
const STAGED = 40 * 4;
const DEPTH = 32;
const STAGES = 4;

const finishing = ({ rows, columns }: Tile): number => rows * (columns / 32) * STAGED;

function alignedBytes(tile: Tile, ta: number, tb: number): number {
  const operand = (side: number, along: boolean) => 2 * (along ? side * (DEPTH + 8) : DEPTH * (side + 8));
  return Math.max(STAGES * (operand(tile.rows, ta === 0) + operand(tile.columns, tb !== 0)), finishing(tile));
}
const mixedBytes = (tile: Tile): number => Math.max(2 * (tile.rows + tile.columns) * 80, finishing(tile));
const exactBytes = (side: number, deep: number): number => Math.max(16 * deep * (side + 4), 256 * (side + 4));

/** Whether 16 bytes of every row lie at a multiple of 16. */
const aligned = (address: number, ld: number, stride: number): boolean =>
  address % 16 === 0 && ld % 8 === 0 && stride % 8 === 0;

interface Kernel {
  readonly fn: string;
  readonly tile: Tile;
  readonly shared: number;
}

function kernelOf(product: Product, tile: Tile): Kernel {
  const { compute, ta = 0, tb = 0, a, b, lda, ldb, sa = 0, sb = 0 } = product;
  const square = tile.rows === 128 && tile.columns === 128 ? tile : SMALLEST;
  const size = ({ rows, columns }: Tile) => `${rows}x${columns}`;
  if (compute === 'f32') {
    const [side, deep] = square === SMALLEST ? [64, 16] : [128, 8];
    return { fn: `gemm_f32_${size(square)}`, tile: square, shared: exactBytes(side, deep) };
  }
  if (compute === 'tf32') return { fn: `gemm_tf32_${size(square)}`, tile: square, shared: mixedBytes(square) };
  const fast =
    product.atype === compute &&
    product.btype === compute &&
    !(ta !== 0 && tb !== 0) &&
    aligned(a, lda, sa) &&
    aligned(b, ldb, sb);
  if (!fast) return { fn: `gemm_${compute}_mixed`, tile: SMALLEST, shared: mixedBytes(SMALLEST) };
  const layout = ta !== 0 ? 'tn' : tb !== 0 ? 'nt' : 'nn';
  return { fn: `gemm_${compute}_${layout}_${size(tile)}`, tile, shared: alignedBytes(tile, ta, tb) };
}

/** The launches of a product. @param scratch address of {@link productScratch} bytes */
export function productLaunches(
  product: Product,
  scratch: number,
  profile: DeviceProfile,
  special: Special = {},
): Launch[] {
  if (product.m <= 0 || product.n <= 0 || product.batch === 0) return [];
  if (isLibrarys(product, special, profile))
    return [{ fn: LIBRARY_PRODUCT, grid: [1, 1, 1], args: { ...product, workspace: scratch } as Launch['args'] }];
  return shapedLaunches(product, shapeOf(product, special), scratch, special);
}

/** The same with our kernels, with tiles (if there are such) and parts of the depth as given. */
export function shapedLaunches(
  product: Product,
  { tile: wanted, splits, kper }: Shape,
  scratch: number,
  special: Special = {},
): Launch[] {
  const { m, n, batch = 1 } = product;
  const { fn, tile, shared } = kernelOf(product, wanted);
  const { compute: _, ...fields } = product;
  const args: Record<string, LaunchValue> = { ...DEFAULTS, ...fields, ...NOTHING, ...special, splits, kper };
  // Any group of rows may end within a tile.
  const rows = blocksFor(m, tile.rows) + (special.grouped === 1 ? (args['groups'] as number) + 1 : 0);
  const blocks = rows * blocksFor(n, tile.columns) * batch * splits;
  args['part'] = splits > 1 ? scratch : 0;
  const launches: Launch[] = [{ fn, grid: [blocks, 1, 1], shared: sharedBytes(shared), args }];
  if (splits > 1)
    launches.push({ fn: 'gemm_reduce', grid: [blocksFor(batch * m * Math.ceil(n / 4), 256), 1, 1], args });
  return launches;
}

const productOf = (fields: CallFields): Product => fields as unknown as Product;

export const gemmKernels = (profile: DeviceProfile): CudaKernels => ({
  gemm: {
    scratch: (fields) => productScratch(productOf(fields), profile),
    launches: (fields, _, scratch) => productLaunches(productOf(fields), scratch, profile),
  },
});
