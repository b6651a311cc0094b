/** Copies of rows, and dimensions in another order. */
import { DTYPE_BYTES } from '../../../graph/value.ts';
import type { DType } from '../../../graph/value.ts';
import { int } from '../kernel.ts';
import type { CallExtra, CallFields, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';
import { mergedDimensions } from './dimensions.ts';

/** The side of a tile. */
const TILE = 32;

const bytesOf = (type: number | string): number => DTYPE_BYTES[type as DType];

/** Rows of n elements from one stride to another. */
export function copyRows(fields: CallFields): Launch {
  const [rows, n, ldx, ldy] = ['rows', 'n', 'ldx', 'ldy'].map((name) => int(fields, name)) as [
    number,
    number,
    number,
    number,
  ];
  if (fields.xtype !== fields.ytype)
    return { fn: 'convert_rows', grid: [blocksFor(rows * Math.ceil(n / 8), 256), 1, 1], args: fields };
  const bytes = bytesOf(fields.xtype!);
  const places = [int(fields, 'x'), int(fields, 'y'), n * bytes, ...(rows > 1 ? [ldx * bytes, ldy * bytes] : [])];
  const unit = [16, 4, 2, 1].find((size) => places.every((place) => place % size === 0))!;
  const units = (elements: number): number => Math.trunc((elements * bytes) / unit);
  const args = { x: fields.x!, y: fields.y!, rows, n: units(n), ldx: units(ldx), ldy: units(ldy), unit };
  return { fn: 'copy_rows', grid: [blocksFor(rows * args.n, 1024), 1, 1], args };
}

function permute(fields: CallFields, extra: CallExtra): Launch {
  const [dimensions, ...numbers] = extra as number[];
  const { sizes, strides } = mergedDimensions(numbers.slice(0, dimensions), [numbers.slice(dimensions)]);
  const [from] = strides as [number[]];
  const last = sizes.length - 1;
  const { x, y, xtype, ytype } = fields;
  const bytes = bytesOf(xtype!);
  const count = sizes.reduce((product, size) => product * size, 1);
  const same = xtype === ytype;
  const run = from.indexOf(1);
  if (same && run >= 0 && run !== last) {
    const steps = sizes.map((_, d) => sizes.slice(d + 1).reduce((product, size) => product * size, 1));
    const tiles = Math.ceil(sizes[last]! / TILE) * Math.ceil(sizes[run]! / TILE);
    const args = { x: x!, y: y!, sizes, strides: from, steps, dimensions: sizes.length, run, unit: bytes };
    const grid = [tiles * (count / sizes[last]! / sizes[run]!), 1, 1] as const;
    return { fn: 'permute_tiles', grid, shared: sharedBytes(4 * TILE * (TILE + 1)), args };
  }
  // A last dimension that stays the last moves in the widest units that fit.
  const places = [int(fields, 'x'), int(fields, 'y'), sizes[last]! * bytes, ...from.slice(0, -1).map((s) => s * bytes)];
  const wide = same && from[last] === 1 && places.every((place) => place % 16 === 0);
  const unit = wide ? 16 : bytes;
  const per = unit / bytes;
  const args = {
    x: x!,
    y: y!,
    count: count / per,
    sizes: sizes.map((size, d) => (d === last ? size / per : size)),
    strides: from.map((stride, d) => (d === last ? stride : stride / per)),
    dimensions: sizes.length,
    unit,
    xtype: xtype!,
    ytype: ytype!,
  };
  return { fn: 'permute', grid: [blocksFor(args.count, 256), 1, 1], args };
}

export const MOVE_KERNELS: CudaKernels = {
  copy_rows: { launches: (fields) => [copyRows(fields)] },
  permute: { launches: (fields, extra) => [permute(fields, extra)] },
};
