/** Reductions over the middle of an array, and the largest of each row. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch, LaunchValue } from '../launch.ts';

/** Longest row that a warp takes. */
const WARP_ROW = 1024;
/** Elements of a piece of a row. */
const ROW_PIECE = 4096;
/** Columns of a block; blocks that fill a card; fewest rows that are worth a piece. */
const COLUMNS = 32;
const ENOUGH_BLOCKS = 512;
const LEAST_ROWS = 64;

interface Shape {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

const shapeOf = (fields: CallFields): Shape => ({
  outer: int(fields, 'outer'),
  n: int(fields, 'n'),
  inner: int(fields, 'inner'),
});

/** Elements of x that a piece covers, and how many pieces there are. */
function cut({ outer, n, inner }: Shape): { piece: number; pieces: number } {
  if (inner === 1) return { piece: ROW_PIECE, pieces: blocksFor(n, ROW_PIECE) };
  const wanted = Math.ceil(ENOUGH_BLOCKS / (outer * Math.ceil(inner / COLUMNS)));
  const piece = blocksFor(n, Math.min(wanted, blocksFor(n, LEAST_ROWS)));
  return { piece, pieces: blocksFor(n, piece) };
}

function launch(args: Readonly<Record<string, LaunchValue>>, { outer, n, inner }: Shape, pieces: number): Launch {
  if (inner > 1) {
    const grid = [outer * pieces * Math.ceil(inner / COLUMNS), 1, 1] as const;
    return { fn: 'reduce_columns', grid, shared: sharedBytes(4 * 256), args };
  }
  return Math.ceil(n / pieces) <= WARP_ROW
    ? { fn: 'reduce_warp', grid: [blocksFor(outer * pieces, 8), 1, 1], args }
    : { fn: 'reduce_block', grid: [outer * pieces, 1, 1], shared: sharedBytes(4 * 8), args };
}

const reduce: CudaKernel = {
  scratch: (fields) => {
    const shape = shapeOf(fields);
    const { pieces } = cut(shape);
    return pieces === 1 ? 0 : 4 * shape.outer * pieces * shape.inner;
  },
  launches: (fields, _, scratch) => {
    const shape = shapeOf(fields);
    const { outer, n, inner } = shape;
    const { piece, pieces } = cut(shape);
    const scale = fields.kind === 'mean' ? 1 / n : 1;
    if (pieces === 1) return [launch({ ...fields, piece: n, pieces, scale }, shape, 1)];
    const parts = { outer, n: pieces, inner };
    const first = { ...fields, y: scratch, ytype: 'f32', piece, pieces, scale: 1, beta: 0 };
    const kind = fields.kind === 'squares' ? 'sum' : fields.kind!;
    const second = { ...fields, ...parts, x: scratch, xtype: 'f32', kind, piece: pieces, pieces: 1, scale };
    return [launch(first, shape, pieces), launch(second, parts, 1)];
  },
};

const argmax: CudaKernel = {
  launches: (fields) => [
    int(fields, 'n') <= WARP_ROW
      ? { fn: 'argmax_warp', grid: [blocksFor(int(fields, 'rows'), 8), 1, 1], args: fields }
      : { fn: 'argmax_block', grid: [int(fields, 'rows'), 1, 1], shared: sharedBytes(8 * 8), args: fields },
  ],
};

export const REDUCE_KERNELS: CudaKernels = { reduce, argmax };
