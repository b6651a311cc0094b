/** The thresholds of SparseK, and their gradient: a warp to each prefix. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor } from '../launch.ts';

const positions = (fields: CallFields): number => int(fields, 'batch') * int(fields, 't');
const grid = (fields: CallFields) => [blocksFor(positions(fields), 8), 1, 1] as const;

const select: CudaKernel = {
  launches: (fields) => {
    const args = { ...fields, starts: fields.starts ?? 0 };
    return ['thresholds', 'expiry']
      .filter((output) => fields[output] !== 0)
      .map((output) => ({ fn: `select_${output}`, grid: grid(fields), args }));
  },
};

const backward: CudaKernel = {
  scratch: (fields) => 4 * positions(fields),
  launches: (fields, _, shares) => {
    const args = { ...fields, starts: fields.starts ?? 0, shares };
    return ['select_shares', 'select_gather'].map((fn) => ({ fn, grid: grid(fields), args }));
  },
};

export const SELECT_KERNELS: CudaKernels = { sparse_select: select, sparse_select_backward: backward };
