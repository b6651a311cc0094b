/** Layer and RMS norm. */
import { int } from '../kernel.ts';
import type { CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';

/** Longest row that one warp takes. */
const WARP_ROW = 1024;

export const NORM_KERNELS: CudaKernels = {
  norm: {
    launches: (fields) => {
      const rows = int(fields, 'rows');
      const args = { ...fields };
      return int(fields, 'n') <= WARP_ROW
        ? [{ fn: 'norm_warp', grid: [blocksFor(rows, 8), 1, 1], args }]
        : [{ fn: 'norm_block', grid: [rows, 1, 1], shared: sharedBytes(4 * 8), args }];
    },
  },
};
