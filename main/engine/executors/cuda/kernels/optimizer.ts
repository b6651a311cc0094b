/** Optimizer updates, and the norm of all gradients. */
import type { CallExtra, CudaKernel, CudaKernels } from '../kernel.ts';
import { sharedBytes } from '../launch.ts';
import { enumNumber } from '../manifest.ts';
import { elementwise } from './elements.ts';

/** Elements of a piece, whose squares one block adds. */
const PIECE = 65_536;

const optimizer: CudaKernel = {
  launches: (fields) => {
    const { beta1, beta2, alpha, ...given } = fields;
    return [
      elementwise('optimizer', {
        ...given,
        one_minus_beta1: 1 - (beta1 as number),
        one_minus_beta2: 1 - (beta2 as number),
        one_minus_alpha: 1 - (alpha as number),
      }),
    ];
  },
};

/** {address, elements, type} of each array. */
function arraysOf(extra: CallExtra): { address: number; n: number; type: string }[] {
  return Array.from({ length: extra.length / 3 }, (_, i) => ({
    address: extra[3 * i] as number,
    n: extra[3 * i + 1] as number,
    type: extra[3 * i + 2] as string,
  })).filter(({ n }) => n > 0);
}
const piecesOf = (extra: CallExtra): number =>
  arraysOf(extra).reduce((pieces, { n }) => pieces + Math.ceil(n / PIECE), 0);

const globalNorm: CudaKernel = {
  scratch: (_, extra) => 4 * piecesOf(extra),
  launches: ({ y }, extra, parts) => {
    const arrays = arraysOf(extra);
    const pieces = piecesOf(extra);
    const total = {
      fn: 'norm_total',
      grid: [1, 1, 1],
      shared: sharedBytes(8 * 256),
      args: { parts, y: y!, pieces },
    } as const;
    if (pieces === 0) return [total];
    let first = 0;
    const rows = arrays.flatMap(({ address, n, type }) => {
      const row = [address, n, enumNumber('optimizer', 'DType', type), first];
      first += Math.ceil(n / PIECE);
      return row;
    });
    const table = new Uint8Array(BigInt64Array.from(rows, BigInt).buffer);
    const args = { parts, count: arrays.length };
    return [
      { fn: 'norm_pieces', grid: [pieces, 1, 1], shared: sharedBytes(4 * 8), args, tables: { arrays: table } },
      total,
    ];
  },
};

export const OPTIMIZER_KERNELS: CudaKernels = { optimizer, global_norm: globalNorm };
