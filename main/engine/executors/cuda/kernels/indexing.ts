/** Rows by index, and their adjoint. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';
import { elementwise } from './elements.ts';

/** Keys that a block sorts; sorted lists that become one; rows whose runs a block sums; its columns (indexing.cu). */
const LIST = 2048;
const FAN = 8;
const PIECE = 64;
const COLUMNS = 256;

function gather(fields: CallFields, terms: number): Launch {
  const { table, index, y, rows, n, vocabulary, tabletype, ytype } = fields;
  const blocks = blocksFor(int(fields, 'rows') * Math.ceil(int(fields, 'n') / 8), 256);
  const args = { table: table!, index: index!, y: y!, rows: rows!, n: n!, terms, vocabulary: vocabulary! };
  return { fn: 'gather', grid: [blocks, 1, 1], args: { ...args, tabletype: tabletype!, ytype: ytype! } };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 256) * 256;

/** Two arrays of keys, then the edges of pieces. */
const keyBytes = (fields: CallFields): number => aligned(8 * int(fields, 'rows'));
const pieces = (fields: CallFields): number => blocksFor(int(fields, 'rows'), PIECE);

const scatterAdd: CudaKernel = {
  scratch: (fields) => 2 * keyBytes(fields) + 4 * 2 * pieces(fields) * int(fields, 'n'),
  launches: (fields, _, scratch) => {
    const [rows, n, vocabulary] = [int(fields, 'rows'), int(fields, 'n'), int(fields, 'vocabulary')];
    const { index, dy, table, dytype, scale } = fields;
    const launches: Launch[] = [];
    if (fields.beta === 0) launches.push(elementwise('fill', { y: table!, n: vocabulary * n, ytype: 'f32', value: 0 }));
    let [keys, other] = [scratch, scratch + keyBytes(fields)];
    const sort = { index: index!, keys, rows, vocabulary };
    launches.push({ fn: 'sort_rows', grid: [blocksFor(rows, LIST), 1, 1], shared: sharedBytes(8 * LIST), args: sort });
    for (let list = LIST; list < rows; list *= FAN) {
      const args = { from: keys, to: other, list, rows };
      launches.push({ fn: 'merge_rows', grid: [blocksFor(rows, 256), 1, 1], args });
      [keys, other] = [other, keys];
    }
    const edges = scratch + 2 * keyBytes(fields);
    const args = { keys, dy: dy!, table: table!, edges, n, rows, dytype: dytype!, scale: scale! };
    const grid = [pieces(fields) * blocksFor(n, COLUMNS), 1, 1] as const;
    launches.push({ fn: 'scatter_pieces', grid, shared: sharedBytes(4 * (PIECE + 2), 4 * PIECE), args });
    if (rows > PIECE) launches.push({ fn: 'scatter_edges', grid, args });
    return launches;
  },
};

export const INDEXING_KERNELS: CudaKernels = {
  gather: { launches: (fields) => [gather(fields, 1)] },
  gather_sum: {
    launches: (fields) => [gather({ ...fields, tabletype: fields.type!, ytype: fields.type! }, int(fields, 'terms'))],
  },
  scatter_add: scatterAdd,
};
