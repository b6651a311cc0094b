/** Optimizer updates, and the norm of all gradients. */
import { int } from '../kernel.ts';
import type { CallExtra, CallFields, CudaCall, CudaKernel, CudaKernels } from '../kernel.ts';
import { sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';
import { enumNumber } from '../manifest.ts';

/** Elements of a block of updates, and of a piece whose squares one block adds (optimizer.cu). */
const UPDATES = 8192;
const PIECE = 65_536;

const table = (numbers: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
const typeNumber = (name: number | string): number => enumNumber('optimizer', 'DType', name as string);

/** Of an array of the table, in its order. */
const POINTERS = ['p', 'g', 'm', 'v', 'third', 'copy', 'scale', 'lr', 'decay', 'bias1', 'bias2'] as const;

/** What parameters that one launch updates have in common. */
function constantsOf({ kind, nesterov, centered, beta1, beta2, alpha, eps, momentum }: CallFields) {
  return {
    kind: kind!,
    nesterov: nesterov!,
    centered: centered!,
    one_minus_beta1: 1 - (beta1 as number),
    one_minus_beta2: 1 - (beta2 as number),
    one_minus_alpha: 1 - (alpha as number),
    eps: eps!,
    momentum: momentum!,
  };
}

/** One launch for all parameters that are updated alike, in the order of the first of each kind. */
function tabled(
  fn: string,
  calls: readonly CudaCall[],
  constants: (fields: CallFields) => Launch['args'],
  pointers: readonly string[],
  types: (fields: CallFields) => readonly (number | string)[],
): Launch[] {
  const alike = Map.groupBy(calls, ({ fields }) => JSON.stringify(constants(fields)));
  return [...alike.values()].map((own) => {
    let blocks = 0;
    const rows = own.flatMap(({ fields }) => {
      const first = blocks;
      blocks += Math.ceil(int(fields, 'n') / UPDATES);
      const places = pointers.map((name) => (fields[name] ?? 0) as number);
      return [...places, int(fields, 'n'), ...types(fields).map(typeNumber), first];
    });
    const args = { ...constants(own[0]!.fields), count: own.length };
    return { fn, grid: [blocks, 1, 1], args, tables: { arrays: table(rows) } };
  });
}

const updates = (calls: readonly CudaCall[]): Launch[] =>
  tabled('optimizer', calls, constantsOf, POINTERS, ({ gtype, copytype, ptype = 'f32', mtype = 'f32' }) => [
    gtype!,
    copytype!,
    ptype,
    mtype,
  ]);

const optimizer: CudaKernel = {
  launches: (fields, extra) => updates([{ fields, extra }]),
  joined: updates,
};

/** Of an array of the table of bytes, in its order. */
const BYTE_POINTERS: readonly string[] = 'p g m mscale v vscale copy scale lr decay bias1 bias2 offset1 offset2'.split(
  ' ',
);

/** The same for moments in bytes. */
function byteUpdates(calls: readonly CudaCall[]): Launch[] {
  const constants = ({ beta1, beta2, eps }: CallFields) => ({
    one_minus_beta1: 1 - (beta1 as number),
    one_minus_beta2: 1 - (beta2 as number),
    eps: eps!,
  });
  return tabled('optimizer_bytes', calls, constants, BYTE_POINTERS, ({ gtype, copytype }) => [gtype!, copytype!]);
}

const optimizerBytes: CudaKernel = {
  launches: (fields, extra) => byteUpdates([{ fields, extra }]),
  joined: byteUpdates,
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
      const row = [address, n, typeNumber(type), first];
      first += Math.ceil(n / PIECE);
      return row;
    });
    const args = { parts, count: arrays.length };
    return [
      { fn: 'norm_pieces', grid: [pieces, 1, 1], shared: sharedBytes(4 * 8), args, tables: { arrays: table(rows) } },
      total,
    ];
  },
};

export const OPTIMIZER_KERNELS: CudaKernels = {
  optimizer,
  optimizer_bytes: optimizerBytes,
  global_norm: globalNorm,
};
