/** Attention and its gradients, dense and sparse. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';

type Arguments = Record<string, number | string>;

/** Arguments of which a call may have none. */
const ABSENT: Arguments = Object.fromEntries(
  ['lse', 'slopes', 'keymask', 'seed', 'starts', 'scores', 'thresholds', 'expiry', 'dout', 'gq', 'gk', 'gv']
    .concat(['delta', 'slopesums', 'dslopes', 'dscores', 'dthresholds'])
    .map((name) => [name, 0]),
);
/** A pattern that lets every head see everything. */
const DENSE: Arguments = { patterns: 0, turns: 1, block: 1, summary: 0, groups: 1 };

/** Strides of a contiguous [batch, length, heads, size]. */
const strides = (name: string, length: number, heads: number, size: number): Arguments => ({
  [`s${name}b`]: length * heads * size,
  [`s${name}t`]: heads * size,
  [`s${name}h`]: size,
});

/** The pattern of sparse attention: where every head only sees the last few keys, that is a window of dense attention. */
function patternOf(given: Arguments): Arguments {
  const patterns = int(given, 'patterns');
  const turns = int(given, 'turns');
  const local = Array.from({ length: turns }, (_, turn) => 4 ** turn).reduce((sum, bits) => sum + bits, 0);
  if (patterns === local && (given['expiry'] ?? 0) === 0) return { ...DENSE, window: int(given, 'block') };
  return { window: 0, patterns: patterns | 0 }; // of 32 bits
}

/** A call of any of the four kernels as the one struct of the device has it. How products are rounded follows from the type of q. */
function argumentsOf(fields: CallFields): Arguments {
  const { t, ...given }: Arguments = { ...fields };
  delete given['compute'];
  if (t === undefined) return { ...ABSENT, ...DENSE, ...given };
  const [length, heads, kvheads] = [t as number, int(given, 'heads'), int(given, 'kvheads')];
  const [d, dvalue] = [int(given, 'd'), int(given, 'dvalue')];
  return {
    ...ABSENT,
    ...given,
    ...strides('q', length, heads, d),
    ...strides('k', length, kvheads, d),
    ...strides('v', length, kvheads, dvalue),
    ...strides('o', length, heads, dvalue),
    ...patternOf(given),
    tq: length,
    tk: length,
    causal: 1,
  };
}

/** Bytes of the masks of a tile, what is seen and what dropout keeps. */
const bitsOf = (queries: number, keys: number): number => 2 * 4 * queries * (keys / 32);

/** Rows of a block and columns of a tile in attention_any.cu, products summed at a time, and floats between rows of those. */
const SIDE = 64;
const DEPTH = 32;
const DEPTH_STRIDE = 72;

/** A launch of the kernels for any sizes: blocks of rows by slices of the output's `width` columns, for each of `heads` heads. */
function general(what: string, args: Arguments, rows: string, heads: string, width: string): Launch {
  const slice = int(args, width) <= 64 ? 64 : 128;
  const tiles = 4 * DEPTH * DEPTH_STRIDE;
  return {
    fn: `attention_any${what}_${slice}`,
    grid: [blocksFor(int(args, rows), SIDE) * blocksFor(int(args, width), slice), int(args, heads), int(args, 'batch')],
    shared: sharedBytes(tiles, tiles, 4 * SIDE * SIDE, 4 * SIDE * slice, bitsOf(SIDE, SIDE)),
    args,
  };
}

const isEmpty = (args: Arguments): boolean => ['batch', 'heads', 'tq', 'tk'].some((name) => int(args, name) === 0);

/** Bytes of dO·O of every row and head, and of the parts of the slopes' gradients, from multiples of 256. */
function scratchOf(args: Arguments): { readonly delta: number; readonly slopes: number } {
  const heads = int(args, 'batch') * int(args, 'heads');
  const tiles = blocksFor(int(args, 'tq'), SIDE);
  return {
    delta: Math.ceil((4 * heads * int(args, 'tq')) / 256) * 256,
    slopes: args['dslopes'] === 0 ? 0 : 4 * heads * tiles,
  };
}

/** Head sizes, of keys and of values at a time, that the kernels for 16-bit elements are compiled for (attention.cu), queries of their blocks, and keys of a tile. */
const COMPILED = [
  { d: 32, dvalue: 32, queries: 128, keys: 64 },
  { d: 64, dvalue: 64, queries: 128, keys: 64 },
  { d: 64, dvalue: 128, queries: 64, keys: 64 },
  { d: 128, dvalue: 128, queries: 64, keys: 64 },
  { d: 256, dvalue: 128, queries: 64, keys: 32 },
];
/** What lies between rows of a tile, so that they begin in different banks. */
const PAD = 8;

/** Whether rows can be copied 16 bytes at a time, and what is asked for is compiled for tensor cores. */
function isFast(args: Arguments): boolean {
  const multiples = ['d', 'dvalue', ...['q', 'k', 'v', 'o'].flatMap((x) => [`s${x}b`, `s${x}t`, `s${x}h`])];
  return (
    args['type'] !== 'f32' &&
    args['scores'] === 0 &&
    int(args, 'd') <= COMPILED.at(-1)!.d &&
    multiples.every((name) => int(args, name) % 8 === 0)
  );
}

/** Whether anything but causality, a window and lengths decides about scores. */
const hasExtras = (args: Arguments): boolean =>
  ['slopes', 'keymask', 'starts', 'softcap', 'dropout', 'patterns'].some((name) => args[name] !== 0);

function fastForward(args: Arguments): Launch {
  const [d, dvalue] = [int(args, 'd'), int(args, 'dvalue')];
  // Values of more columns than any kernel takes go slice by slice.
  const slice = Math.min(dvalue, COMPILED.at(-1)!.dvalue);
  const size = COMPILED.find((each) => d <= each.d && slice <= each.dvalue)!;
  const extras = hasExtras(args);
  const queries = extras ? 64 : size.queries;
  const keys = (columns: number) => 2 * 2 * size.keys * (columns + PAD);
  const bits = extras ? [2 * bitsOf(queries, size.keys)] : [];
  return {
    fn: `attention_${args['type']}_${size.d}_${size.dvalue}${extras ? '_extras' : ''}`,
    grid: [
      blocksFor(int(args, 'tq'), queries) * blocksFor(dvalue, size.dvalue),
      int(args, 'heads'),
      int(args, 'batch'),
    ],
    shared: sharedBytes(2 * queries * (size.d + PAD), keys(size.d), keys(size.dvalue), ...bits),
    args,
  };
}

const forward: CudaKernel = {
  launches: (fields) => {
    const args = argumentsOf(fields);
    if (isEmpty(args)) return [];
    return [isFast(args) ? fastForward(args) : general('', args, 'tq', 'heads', 'dvalue')];
  },
};

/** A kernel of attention_grad.cu: columns of keys and of values that it is compiled for, and of its tiles, if all options are asked for. */
interface Gradient {
  readonly fn: string;
  readonly d: number;
  readonly dvalue: number;
  readonly columns: number;
  /** Whether its rows are keys. */
  readonly byKey: boolean;
  /** Tiles of columns that it holds at a time; two unless given. */
  readonly tiles?: number;
  /** Columns of the values that a block is about; all unless given. */
  readonly slice?: number;
}
/** Rows of their blocks. */
const ROWS = 64;

/** Largest size that queries' kernel and that of keys and values at once are compiled for, and columns of their tiles. */
const ONE_SIZE = [
  { size: 32, columns: 64, few: 64 },
  { size: 64, columns: 64, few: 32 },
  { size: 128, columns: 32, few: 16 },
];
/** Where values are wide; these know all options. */
const WIDE_VALUES: readonly [Gradient, ...Gradient[]] = [
  { fn: 'attention_q_{}_64_384_extras', d: 64, dvalue: 384, columns: 16, byKey: false },
  { fn: 'attention_k_{}_64_384_extras', d: 64, dvalue: 384, columns: 16, byKey: true },
  { fn: 'attention_v_{}_64_128_extras', d: 64, dvalue: 128, columns: 32, byKey: true, slice: 128 },
];

/** Where queries and keys are, or only values somewhat; these too. */
const WIDE: readonly [Gradient, ...Gradient[]] = [
  { fn: 'attention_q_{}_256_extras', d: 256, dvalue: 256, columns: 16, byKey: false, tiles: 1 },
  { fn: 'attention_k_{}_256_extras', d: 256, dvalue: 256, columns: 16, byKey: true, tiles: 1 },
  { fn: 'attention_v_{}_256_128_extras', d: 256, dvalue: 128, columns: 16, byKey: true, slice: 128 },
];

function gradientKernels(args: Arguments): readonly Gradient[] {
  if (!isFast(args)) return [];
  const [d, dvalue, extras] = [int(args, 'd'), int(args, 'dvalue'), hasExtras(args)];
  const one = ONE_SIZE.find(({ size }) => Math.max(d, dvalue) <= size);
  if (one === undefined)
    return [WIDE_VALUES, WIDE].find(([{ d: most, dvalue: mostValues }]) => d <= most && dvalue <= mostValues) ?? [];
  const sizes = { d: one.size, dvalue: one.size };
  const name = `{}_${one.size}${extras ? '_extras' : ''}`;
  return [
    { fn: `attention_q_${name}`, ...sizes, columns: one.columns, byKey: false },
    { fn: `attention_kv_${name}`, ...sizes, columns: extras ? one.few : one.columns, byKey: true },
  ];
}

function fastGradient({ fn, d, dvalue, columns, byKey, tiles = 2, slice }: Gradient, args: Arguments): Launch {
  const slices = slice === undefined ? 1 : blocksFor(int(args, 'dvalue'), slice);
  const bytes = (rows: number, width: number) => 2 * rows * (width + PAD);
  const bits = byKey ? bitsOf(columns, ROWS) : bitsOf(ROWS, Math.max(columns, 32));
  return {
    fn: fn.replace('{}', String(args['type'])),
    grid: [
      blocksFor(int(args, byKey ? 'tk' : 'tq'), ROWS) * slices,
      int(args, byKey ? 'kvheads' : 'heads'),
      int(args, 'batch'),
    ],
    shared: sharedBytes(
      bytes(ROWS, d),
      bytes(ROWS, dvalue),
      bytes(tiles * columns, d),
      bytes(tiles * columns, dvalue),
      4 * 4 * columns,
      fn.endsWith('_extras') ? 2 * bits : 0,
    ),
    args,
  };
}

function gradients(args: Arguments): readonly Launch[] {
  const fast = gradientKernels(args);
  if (fast.length > 0) return fast.map((kernel) => fastGradient(kernel, args));
  return [
    general('_q', args, 'tq', 'heads', 'd'),
    general('_k', args, 'tk', 'kvheads', 'd'),
    general('_v', args, 'tk', 'kvheads', 'dvalue'),
  ];
}

const backward: CudaKernel = {
  scratch: (fields) => {
    const { delta, slopes } = scratchOf(argumentsOf(fields));
    return delta + slopes;
  },
  launches: (fields, _, scratch) => {
    const given = argumentsOf(fields);
    if (isEmpty(given)) return [];
    const { delta, slopes } = scratchOf(given);
    const args = { ...given, delta: scratch, slopesums: slopes === 0 ? 0 : scratch + delta };
    const [batch, heads, tq] = [int(args, 'batch'), int(args, 'heads'), int(args, 'tq')];
    const launches: Launch[] = [
      { fn: 'attention_delta', grid: [blocksFor(tq, 8), heads, batch], args },
      ...gradients(args),
    ];
    if (slopes > 0) launches.push({ fn: 'attention_slopes', grid: [blocksFor(batch * heads, 64), 1, 1], args });
    return launches;
  },
};

export const ATTENTION_KERNELS: CudaKernels = {
  attention: forward,
  attention_backward: backward,
  sparse_attention: forward,
  sparse_attention_backward: backward,
};
