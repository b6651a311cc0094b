/** Output layer and cross-entropy: chunks of rows, each a product, a pass over its logits, and the products of the gradients. */
import type { CallFields, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';
import type { DeviceProfile, Product } from '../products.ts';
import { productLaunches, productScratch } from './gemm.ts';

/** `cross_entropy` of kernels.h. */
interface Call {
  readonly hidden: number;
  readonly weight: number;
  readonly target: number;
  readonly loss?: number;
  readonly correct?: number;
  readonly dloss?: number;
  readonly dhidden?: number;
  readonly dweight?: number;
  readonly logits?: number;
  readonly rows: number;
  readonly d: number;
  readonly vocabulary: number;
  readonly chunk: number;
  readonly htype: string;
  readonly wtype: string;
  readonly dhtype: string;
  readonly ltype: string;
  readonly compute: Product['compute'];
  readonly softcap: number;
  readonly dscale: number;
  readonly beta: number;
}

const callOf = (fields: CallFields): Call => fields as unknown as Call;

/** Columns whose largest logit and sum the product keeps together (gemm.h). */
const TILE = 32;
/** Longest row that one warp takes. */
const WARP_ROW = 2048;

const bytesOf = (type: string): number => (type === 'f32' ? 4 : 2);
const aligned = (bytes: number): number => Math.ceil(bytes / 256) * 256;
/** An array's address some elements further on; nothing stays nothing. */
const after = (address: number | undefined, bytes: number): number => (address ? address + bytes : 0);

/** f32 logits are kept and gone through; of 16-bit ones the product keeps what the loss needs in f32, so that it is as exact. */
const keepsLogits = (call: Call): boolean => call.ltype === 'f32';

/** The products of one chunk: rows `first` … of `rows`. */
function productsOf(
  call: Call,
  first: number,
  rows: number,
): { logits: Product; dhidden?: Product; dweight?: Product } {
  const { d, vocabulary, compute, ltype } = call;
  const ldl = Math.ceil(vocabulary / 64) * 64;
  const hidden = { address: after(call.hidden, first * d * bytesOf(call.htype)), type: call.htype };
  const gradient = { a: call.logits ?? 0, atype: ltype, lda: ldl, ldb: d, ldc: d, compute };
  return {
    logits: {
      a: hidden.address,
      atype: hidden.type,
      lda: d,
      b: call.weight,
      btype: call.wtype,
      ldb: d,
      tb: 1,
      c: call.logits ?? 0,
      ctype: ltype,
      ldc: ldl,
      m: rows,
      n: vocabulary,
      k: d,
      compute,
    },
    ...(call.dhidden
      ? {
          dhidden: {
            ...gradient,
            b: call.weight,
            btype: call.wtype,
            m: rows,
            n: d,
            k: vocabulary,
            c: after(call.dhidden, first * d * bytesOf(call.dhtype)),
            ctype: call.dhtype,
          },
        }
      : {}),
    ...(call.dweight
      ? {
          dweight: {
            ...gradient,
            ta: 1,
            b: hidden.address,
            btype: hidden.type,
            m: vocabulary,
            n: d,
            k: rows,
            c: call.dweight,
            ctype: 'f32',
            beta: first === 0 ? call.beta : 1,
          },
        }
      : {}),
  };
}

/** First row and number of rows of each chunk. */
function chunksOf({ rows, chunk }: Call): (readonly [first: number, rows: number])[] {
  const chunks: (readonly [number, number])[] = [];
  for (let first = 0; first < rows; first += chunk) chunks.push([first, Math.min(chunk, rows - first)]);
  return chunks;
}

/** Where in the scratch memory lies what is kept of a chunk's tiles, and behind it what products take. */
function scratchOf(call: Call, profile: DeviceProfile) {
  const rows = Math.min(call.rows, call.chunk);
  const tiles = keepsLogits(call) ? 0 : aligned(4 * rows * Math.ceil(call.vocabulary / TILE));
  const each = keepsLogits(call) ? 0 : aligned(4 * rows);
  const products = chunksOf(call).flatMap(([first, count]) => {
    const { logits, dhidden, dweight } = productsOf(call, first, count);
    return [keepsLogits(call) ? logits : undefined, dhidden, dweight].map((p) => (p ? productScratch(p, profile) : 0));
  });
  const at = { best: 0, sum: tiles, own: 2 * tiles, first: 2 * tiles + each, products: 2 * tiles + 2 * each };
  return { at, bytes: at.products + products.reduce((a, b) => Math.max(a, b), 0) };
}

function launches(call: Call, scratch: number, profile: DeviceProfile): Launch[] {
  const { at } = scratchOf(call, profile);
  const whole = call.vocabulary > WARP_ROW;
  const kept = keepsLogits(call);
  const gradient = (call.dhidden ?? 0) > 0 || (call.dweight ?? 0) > 0;
  return chunksOf(call).flatMap(([first, rows]) => {
    const { logits, dhidden, dweight } = productsOf(call, first, rows);
    const target = after(call.target, 4 * first);
    const tiles = { best: scratch + at.best, sum: scratch + at.sum, own: scratch + at.own, first: scratch + at.first };
    const args = {
      best: 0,
      sum: 0,
      own: 0,
      first: 0,
      ...(kept ? {} : tiles),
      target,
      logits: logits.c,
      ltype: call.ltype,
      loss: after(call.loss, 4 * first),
      correct: after(call.correct, 4 * first),
      dloss: after(call.dloss, 4 * first),
      rows,
      n: call.vocabulary,
      ld: logits.ldc,
      gradient,
      softcap: call.softcap,
      dscale: call.dscale,
    };
    const fn = `soft_max_${kept ? 'logits' : 'tiles'}_${whole ? 'block' : 'warp'}`;
    const softMax: Launch = whole
      ? { fn, grid: [rows, 1, 1], shared: sharedBytes(4 * 8), args }
      : { fn, grid: [blocksFor(rows, 8), 1, 1], args };
    const products = scratch + at.products;
    return [
      ...(kept
        ? productLaunches(logits, products, profile)
        : productLaunches({ ...logits, c: gradient ? logits.c : 0 }, products, profile, {
            ...tiles,
            target,
            softcap: call.softcap,
          })),
      softMax,
      ...(dhidden ? productLaunches(dhidden, products, profile) : []),
      ...(dweight ? productLaunches(dweight, products, profile) : []),
    ];
  });
}

export const crossEntropyKernels = (profile: DeviceProfile): CudaKernels => ({
  cross_entropy: {
    scratch: (fields) => scratchOf(callOf(fields), profile).bytes,
    launches: (fields, _, scratch) => launches(callOf(fields), scratch, profile),
  },
});
