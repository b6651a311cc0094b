/** Layer and RMS norm. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';

/** Longest rows that one thread's registers hold a share of, with a warp to a row and with a block. */
const WARP_ROWS = [256, 1024] as const;
const BLOCK_ROWS = [2048, 8192] as const;
const LONGEST_WARP_ROW = 1024;
/** Rows that a block takes at once, a warp to each. */
const WARPS = 8;
/** Blocks of the gradient that fill a card; more would only lengthen the sums over them. */
const ENOUGH_BLOCKS = 264;

/** Which of the kernels takes rows of n: its name ends with the longest row that it takes. */
function variant(n: number): string {
  const warp = WARP_ROWS.find((most) => n <= most);
  if (warp !== undefined) return `warp_${warp}`;
  const block = BLOCK_ROWS.find((most) => n <= most);
  return block === undefined ? 'long' : `block_${block}`;
}

const norm: CudaKernel = {
  launches: (fields) => {
    const [rows, n] = [int(fields, 'rows'), int(fields, 'n')];
    const fn = `norm_${variant(n)}`;
    return n <= LONGEST_WARP_ROW
      ? [{ fn, grid: [blocksFor(rows, WARPS), 1, 1], args: fields }]
      : [{ fn, grid: [rows, 1, 1], shared: sharedBytes(4 * WARPS), args: fields }];
  },
};

/** Rows of a block, and how many blocks there are. */
function cut(fields: CallFields): { chunk: number; blocks: number } {
  const rows = int(fields, 'rows');
  const least = int(fields, 'n') <= LONGEST_WARP_ROW ? WARPS : 1;
  const chunk = Math.ceil(rows / ENOUGH_BLOCKS / least) * least;
  return { chunk, blocks: blocksFor(rows, chunk) };
}

const hasSums = (fields: CallFields): boolean => (fields.dgain ?? 0) !== 0 || (fields.dbias ?? 0) !== 0;

const backward: CudaKernel = {
  scratch: (fields) => (hasSums(fields) ? 4 * 2 * cut(fields).blocks * int(fields, 'n') : 0),
  launches: (fields, _, scratch) => {
    const { dgain, dbias, beta, ...args } = fields;
    const n = int(fields, 'n');
    const { chunk, blocks } = cut(fields);
    const parts = hasSums(fields) ? scratch : 0;
    const shared = sharedBytes(n <= LONGEST_WARP_ROW ? 4 * WARPS * n : 4 * WARPS);
    const launches: Launch[] = [
      { fn: `norm_backward_${variant(n)}`, grid: [blocks, 1, 1], shared, args: { ...args, parts, chunk } },
    ];
    if (parts !== 0) {
      const sums = { parts, dgain: dgain ?? 0, dbias: dbias ?? 0, blocks, n, beta: beta! };
      launches.push({
        fn: 'norm_parameters',
        grid: [blocksFor(n, 32), 2, 1],
        shared: sharedBytes(4 * 256),
        args: sums,
      });
    }
    return launches;
  },
};

export const NORM_KERNELS: CudaKernels = { norm, norm_backward: backward };
