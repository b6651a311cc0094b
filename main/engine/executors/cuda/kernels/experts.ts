/** Where the rows of experts stand. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';

/** Rows of a block (experts.cu). */
const CHUNK = 128;

function sizes(fields: CallFields): { rows: number; experts: number; active: number; chunks: number } {
  const [rows, experts, active] = [int(fields, 'rows'), int(fields, 'experts'), int(fields, 'active')];
  return { rows, experts, active, chunks: blocksFor(rows, CHUNK) };
}

const places: CudaKernel = {
  scratch: (fields) => {
    const { rows, experts, active, chunks } = sizes(fields);
    return 4 * (rows * active + chunks * experts);
  },
  launches: (fields, _, choices): readonly Launch[] => {
    const { chunks, ...own } = sizes(fields);
    const { rows, experts, active } = own;
    const counts = choices + 4 * rows * active;
    const { chosen, ends, token, source, place } = fields;
    const shared = sharedBytes(4 * CHUNK * active);
    const grid = [chunks, 1, 1] as const;
    return [
      { fn: 'expert_choices', grid: [blocksFor(rows, 256), 1, 1], args: { chosen: chosen!, choices, ...own } },
      { fn: 'expert_counts', grid, shared, args: { choices, counts, ...own } },
      {
        fn: 'expert_begins',
        grid: [1, 1, 1],
        shared: sharedBytes(4 * experts),
        args: { counts, ends: ends!, chunks, experts },
      },
      {
        fn: 'expert_places',
        grid,
        shared,
        args: { choices, counts, ends: ends!, token: token!, source: source!, place: place!, ...own },
      },
    ];
  },
};

export const EXPERT_KERNELS: CudaKernels = { expert_places: places };
