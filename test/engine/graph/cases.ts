/**
 * One or more examples of every operation on random odd shapes. The tests of shapes, gradients and executors all run over this
 * list, and fail when a registered operation is missing from it.
 */
import { sparsekByDefinition } from '../../oracles/sparsek.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import { optimizerFamily } from '../../../main/engine/optim/optimizers/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { DType, Graph, Shape, Value } from '../../../main/engine/graph/value.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import type { Random } from '../../oracles/random.ts';

export interface CaseInput {
  shape: Shape;
  dtype: DType;
  data: Float32Array | Int32Array | Uint8Array;
  /** False for floating-point inputs along which the function is not smooth or no gradient is defined. */
  differentiable: boolean;
}

export interface Case {
  inputs: Readonly<Record<string, CaseInput>>;
  build(values: Readonly<Record<string, Value>>, graph: Graph): readonly Value[];
  /** Outputs that a loss may depend on; all floating-point ones unless given. */
  differentiableOutputs?: readonly number[];
}

export interface OperationCase {
  op: string;
  title: string;
  make(random: Random): Case;
  /** Calls that the shape rule must refuse. */
  bad?: readonly ((graph: Graph) => unknown)[];
}

const f32 = (shape: Shape, data: Float32Array, differentiable = true): CaseInput => ({
  shape,
  dtype: 'f32',
  data,
  differentiable,
});
const i32 = (shape: Shape, data: Int32Array): CaseInput => ({ shape, dtype: 'i32', data, differentiable: false });
const u8 = (shape: Shape, data: Uint8Array): CaseInput => ({ shape, dtype: 'u8', data, differentiable: false });
const normal = (r: Random, shape: Shape, scale = 1, shift = 0) => f32(shape, r.normals(sizeOf(shape), scale, shift));
/** Positive, away from zero. */
const positive = (r: Random, shape: Shape) =>
  f32(
    shape,
    r.normals(sizeOf(shape)).map((x) => 0.3 + Math.abs(x)),
  );
/** At least 0.2 away from zero: not near a kink. */
const away = (r: Random, shape: Shape) =>
  f32(
    shape,
    r.normals(sizeOf(shape)).map((x) => x + Math.sign(x) * 0.2),
  );
const bits = (r: Random, shape: Shape, chance = 0.6) =>
  u8(
    shape,
    Uint8Array.from({ length: sizeOf(shape) }, () => Number(r() < chance)),
  );
const scalar = (x: number) => f32([], Float32Array.of(x));
const odd = (r: Random) => r.pick([1, 3, 5, 7]);
const shapeOf = (r: Random, rank: number) => Array.from({ length: rank }, () => odd(r));
const key = (r: Random) => i32([4], Int32Array.of(r.integer(-1e9, 1e9), 7, r.integer(0, 1000), r.integer(0, 5)));
/** Distinct, well separated values in random order: a maximum that is unique under small steps. */
const separated = (r: Random, shape: Shape) => {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i * 0.37 - 1);
  for (let i = data.length - 1; i > 0; i--) {
    const j = r.integer(0, i);
    [data[i], data[j]] = [data[j]!, data[i]!];
  }
  return f32(shape, data);
};

const floats = (graph: Graph, ...shapes: Shape[]) => shapes.map((shape, i) => ops.input(graph, `x${i}`, shape, 'f32'));
const bad =
  (...shapes: Shape[]) =>
  (build: (...x: Value[]) => unknown) =>
  (graph: Graph) =>
    build(...floats(graph, ...shapes));
/** An operation by name on its inputs alone. */
const apply = (op: string, ...x: Value[]): Value => x[0]!.graph.add(op, x)[0]!;
const reduceBy = { reduceSum: ops.reduceSum, reduceMax: ops.reduceMax };
const integers = (graph: Graph, shape: Shape) => ops.input(graph, 'i', shape, 'i32');

const unaryCases: OperationCase[] = [
  'neg',
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'erf',
  'sqrt',
  'rsqrt',
  'relu',
  'square',
  'softplus',
  'sin',
  'cos',
].map((op) => ({
  op,
  title: op,
  make: (r) => {
    const shape = shapeOf(r, r.integer(0, 4));
    const domain = op === 'log' || op === 'sqrt' || op === 'rsqrt' ? positive : op === 'relu' ? away : normal;
    return { inputs: { x: domain(r, shape) }, build: ({ x }) => [apply(op, x!)] };
  },
  bad: [(graph) => apply(op, integers(graph, [2]))],
}));

/** Two shapes that broadcast together. */
function broadcastPair(r: Random): [Shape, Shape] {
  const full = shapeOf(r, r.integer(1, 4));
  const thin = () => full.map((d) => (r() < 0.4 ? 1 : d)).slice(r() < 0.3 ? 1 : 0);
  return r.pick([
    [full, thin()],
    [thin(), full],
    [full, full],
    [full, []],
    [
      [3, 1],
      [1, 5],
    ],
  ] as [Shape, Shape][]);
}

const binaryCases: OperationCase[] = (['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const).map((op) => ({
  op,
  title: op,
  make: (r) => {
    const [sa, sb] = broadcastPair(r);
    const a = op === 'maximum' || op === 'minimum' ? separated(r, sa) : normal(r, sa);
    let b = op === 'div' ? away(r, sb) : normal(r, sb);
    // Between the separated values of a, so that no pair is near a tie.
    if (op === 'maximum' || op === 'minimum') b = f32(sb, separated(r, sb).data.map((x) => x + 0.15) as Float32Array);
    return { inputs: { a, b }, build: ({ a: x, b: y }) => [apply(op, x!, y!)] };
  },
  bad: [
    bad([2, 3], [2, 4])((x, y) => apply(op, x!, y!)),
    (graph) => apply(op, floats(graph, [2])[0]!, integers(graph, [2])),
  ],
}));

const comparisonCases: OperationCase[] = (['greater', 'greaterEqual', 'less', 'equal'] as const).flatMap((op) => [
  {
    op,
    title: `${op} of numbers`,
    make: (r: Random) => {
      const [sa, sb] = broadcastPair(r);
      const small = (shape: Shape) => f32(shape, Float32Array.from(r.integers(sizeOf(shape), -1, 1)), false);
      return {
        inputs: { a: small(sa), b: small(sb) },
        build: ({ a, b }: Record<string, Value>) => [apply(op, a!, b!)],
      };
    },
    bad: [
      bad([2, 3], [2, 4])((x: Value, y: Value) => apply(op, x, y)),
      (graph: Graph) => apply(op, floats(graph, [2])[0]!, integers(graph, [2])),
    ],
  },
  {
    op,
    title: `${op} of integers`,
    make: (r: Random) => {
      const shape = shapeOf(r, 2);
      const small = () => i32(shape, r.integers(sizeOf(shape), -1, 1));
      return { inputs: { a: small(), b: small() }, build: ({ a, b }: Record<string, Value>) => [apply(op, a!, b!)] };
    },
  },
]);

const movementCases: OperationCase[] = [
  {
    op: 'reshape',
    title: 'reshape',
    make: (r) => {
      const [a, b, c] = shapeOf(r, 3) as [number, number, number];
      return { inputs: { x: normal(r, [a, b, c]) }, build: ({ x }) => [ops.reshape(ops.neg(x!), [a * b, -1])] };
    },
    bad: [bad([2, 3])((x) => ops.reshape(x!, [4, 2])), bad([2, 3])((x) => ops.reshape(x!, [4, -1]))],
  },
  {
    op: 'transpose',
    title: 'transpose',
    make: (r) => {
      const rank = r.integer(2, 4);
      const order = Array.from({ length: rank }, (_, i) => i).sort(() => r() - 0.5);
      return { inputs: { x: normal(r, shapeOf(r, rank)) }, build: ({ x }) => [ops.transpose(x!, order)] };
    },
    bad: [bad([2, 3])((x) => ops.transpose(x!, [1, 1])), bad([2, 3])((x) => ops.transpose(x!, [1]))],
  },
  {
    op: 'slice',
    title: 'slice',
    make: (r) => {
      const shape = shapeOf(r, 3);
      const axis = r.integer(0, 2);
      const begin = r.integer(0, shape[axis]! - 1);
      const size = r.integer(1, shape[axis]! - begin);
      return { inputs: { x: normal(r, shape) }, build: ({ x }) => [ops.slice(x!, axis, begin, size)] };
    },
    bad: [bad([2, 3])((x) => ops.slice(x!, 1, 2, 2)), bad([2, 3])((x) => ops.slice(x!, 2, 0, 1))],
  },
  {
    op: 'concat',
    title: 'concat',
    make: (r) => {
      const shape = shapeOf(r, 3);
      const axis = r.integer(0, 2);
      const other = shape.map((d, i) => (i === axis ? odd(r) : d));
      return {
        inputs: { x: normal(r, shape), y: normal(r, other), z: normal(r, shape) },
        build: ({ x, y, z }) => [ops.concat([x!, y!, z!], axis)],
      };
    },
    bad: [bad([2, 3], [3, 3])((x, y) => ops.concat([x!, y!], 1)), bad([], [])((x, y) => ops.concat([x!, y!], 0))],
  },
  {
    op: 'broadcastTo',
    title: 'broadcastTo',
    make: (r) => {
      const full = shapeOf(r, 3);
      const thin = full.map((d) => (r() < 0.5 ? 1 : d)).slice(r.integer(0, 1));
      return { inputs: { x: normal(r, thin) }, build: ({ x }) => [ops.broadcastTo(x!, full)] };
    },
    bad: [bad([2, 3])((x) => ops.broadcastTo(x!, [2, 4])), bad([2, 3])((x) => ops.broadcastTo(x!, [3]))],
  },
  {
    op: 'select',
    title: 'select, broadcasting all three',
    make: (r) => ({
      inputs: { c: bits(r, [3, 1, 5]), a: normal(r, [1, 3, 5]), b: normal(r, [3, 3, 1]) },
      build: ({ c, a, b }) => [ops.select(c!, a!, b!)],
    }),
    bad: [bad([2], [2], [2])((c, a, b) => ops.select(c!, a!, b!))],
  },
  {
    op: 'cast',
    title: 'cast between widths and kinds',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5], 3), n: i32([5], r.integers(5, -9, 9)), m: bits(r, [7]) },
      build: ({ x, n, m }) => [
        ops.cast(ops.cast(x!, 'bf16'), 'f32'),
        ops.cast(ops.cast(x!, 'f16'), 'f32'),
        ops.cast(n!, 'f32'),
        ops.cast(m!, 'f32'),
        ops.cast(x!, 'i32'),
        ops.cast(m!, 'i32'),
      ],
    }),
  },
];

const reductionCases: OperationCase[] = [
  ...(['reduceSum', 'reduceMax'] as const).flatMap((op): OperationCase[] =>
    [[2], [0], [0, 2], [1], [0, 1, 2], []].map((axes) => ({
      op,
      title: `${op} over [${axes}]`,
      make: (r) => ({
        inputs: { x: op === 'reduceMax' ? separated(r, [3, 5, 7]) : normal(r, [odd(r), 5, odd(r)]) },
        build: ({ x }) => [reduceBy[op](x!, axes)],
      }),
      bad: [bad([2, 3])((x) => reduceBy[op](x!, [2])), bad([2, 3])((x) => reduceBy[op](x!, [0, 0]))],
    })),
  ),
  {
    op: 'argMax',
    title: 'argMax, first of equals',
    make: (r) => ({
      inputs: { x: f32([3, 5, 7], Float32Array.from(r.integers(105, 0, 3)), false) },
      build: ({ x }) => [ops.argMax(x!)],
    }),
    bad: [bad([])((x) => ops.argMax(x!))],
  },
];

const productCases: OperationCase[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      [0, 1, 2].map((batchAxes): OperationCase => ({
        op: 'matmul',
        title: `matmul ${transposeA ? 'aᵀ' : 'a'}${transposeB ? 'bᵀ' : 'b'}, ${batchAxes} batch axes`,
        make: (r) => {
          const [m, n, k] = shapeOf(r, 3) as [number, number, number];
          const batch = shapeOf(r, batchAxes);
          return {
            inputs: {
              a: normal(r, [...batch, ...(transposeA ? [k, m] : [m, k])]),
              b: normal(r, [...batch, ...(transposeB ? [n, k] : [k, n])]),
            },
            build: ({ a, b }) => [ops.matmul(a!, b!, { transposeA, transposeB })],
          };
        },
        bad: [
          bad([2, 3], [2, 3])((a, b) => ops.matmul(a!, b!)),
          bad([2, 3], [4, 2, 3])((a, b) => ops.matmul(a!, b!, { transposeB: true })),
          bad([3, 2, 3], [4, 3, 2])((a, b) => ops.matmul(a!, b!)),
          bad([3], [3])((a, b) => ops.matmul(a!, b!)),
        ],
      })),
    ),
  ),
  ...[false, true].map((withBias): OperationCase => ({
    op: 'linear',
    title: `linear${withBias ? ' with bias' : ''}`,
    make: (r) => {
      const [from, to] = shapeOf(r, 2) as [number, number];
      const inputs: Record<string, CaseInput> = { x: normal(r, [3, 5, from]), w: normal(r, [to, from]) };
      if (withBias) inputs.b = normal(r, [to]);
      return { inputs, build: ({ x, w, b }) => [ops.linear(x!, w!, b)] };
    },
    bad: [
      bad([2, 3], [3, 2])((x, w) => ops.linear(x!, w!)),
      bad([2, 3], [4, 3], [3])((x, w, b) => ops.linear(x!, w!, b)),
    ],
  })),
];

const indexingCases: OperationCase[] = [
  {
    op: 'gather',
    title: 'gather with repeats',
    make: (r) => ({
      inputs: { table: normal(r, [7, 5]), at: i32([3, 5], r.integers(15, 0, 6)) },
      build: ({ table, at }) => [ops.gather(table!, at!)],
    }),
    bad: [
      bad([7, 5], [3])((table, at) => ops.gather(table!, at!)),
      (g) => ops.gather(floats(g, [7])[0]!, integers(g, [3])),
    ],
  },
  {
    op: 'scatterAdd',
    title: 'scatterAdd with repeats',
    make: (r) => ({
      inputs: { at: i32([3, 5], r.integers(15, 0, 6)), updates: normal(r, [3, 5, 3]) },
      build: ({ at, updates }) => [ops.scatterAdd(at!, updates!, 9)],
    }),
    bad: [(g) => ops.scatterAdd(integers(g, [3]), floats(g, [4, 2])[0]!, 5)],
  },
  {
    op: 'oneHot',
    title: 'oneHot with indices outside',
    make: (r) => ({ inputs: { at: i32([3, 5], r.integers(15, -2, 8)) }, build: ({ at }) => [ops.oneHot(at!, 7)] }),
    bad: [bad([3])((x) => ops.oneHot(x!, 5))],
  },
];

const randomCases: OperationCase[] = [
  {
    op: 'uniform',
    title: 'uniform',
    make: (r) => ({ inputs: { key: key(r) }, build: ({ key: k }) => [ops.uniform(k!, [3, 7, 5], 11)] }),
    bad: [bad([4])((x) => ops.uniform(x!, [2], 0)), (g) => ops.uniform(integers(g, [3]), [2], 0)],
  },
  {
    op: 'dropout',
    title: 'dropout',
    make: (r) => ({
      inputs: { x: normal(r, [5, 7]), key: key(r) },
      build: ({ x, key: k }) => [ops.dropout(x!, k!, 0.3, 2)],
    }),
    bad: [bad([4], [4])((x, k) => ops.dropout(x!, k!, 0.5, 0))],
  },
];

const normCases: OperationCase[] = (['layer', 'rms'] as const).flatMap((kind) =>
  [false, true].flatMap((withBias): OperationCase[] => {
    const make = (r: Random) => {
      const width = r.pick([3, 5, 7, 17]);
      const inputs: Record<string, CaseInput> = { x: normal(r, [3, 5, width], 2, 1), gain: normal(r, [width], 0.3, 1) };
      if (withBias) inputs.bias = normal(r, [width]);
      return { width, inputs };
    };
    const name = `${kind}${withBias ? ' with bias' : ''}`;
    return [
      {
        op: 'norm',
        title: `norm ${name}`,
        make: (r) => ({
          inputs: make(r).inputs,
          build: ({ x, gain, bias }) => [ops.norm(x!, gain!, { kind, eps: 1e-5, bias })],
        }),
        bad: [
          bad([2, 3], [2])((x, gain) => ops.norm(x!, gain!, { kind, eps: 1e-5 })),
          bad([2, 3], [3], [2])((x, gain, bias) => ops.norm(x!, gain!, { kind, eps: 1e-5, bias })),
        ],
      },
      {
        op: 'normGrad',
        title: `normGrad ${name}`,
        make: (r) => {
          const { width, inputs } = make(r);
          delete inputs.bias;
          return {
            inputs: { ...inputs, g: normal(r, [3, 5, width]) },
            build: ({ x, gain, g }, graph) =>
              graph.add('normGrad', [x!, gain!, g!], { kind, eps: 1e-5, bias: withBias }),
          };
        },
      },
    ];
  }),
);

const activationCases: OperationCase[] = (['gelu', 'gelu_tanh', 'silu', 'relu2'] as const).flatMap(
  (fn): OperationCase[] => {
    const domain = fn === 'relu2' ? away : (r: Random, shape: Shape) => normal(r, shape, 2);
    return [
      {
        op: 'activation',
        title: `activation ${fn}`,
        make: (r) => ({ inputs: { x: domain(r, [5, 7]) }, build: ({ x }) => [ops.activation(x!, fn)] }),
        bad: [(g) => ops.activation(integers(g, [3]), fn), bad([2])((x) => ops.activation(x!, 'softsign' as 'gelu'))],
      },
      {
        op: 'activationGrad',
        title: `activationGrad ${fn}`,
        make: (r) => ({
          inputs: { x: domain(r, [5, 7]), g: normal(r, [5, 7]) },
          build: ({ x, g }, graph) => graph.add('activationGrad', [x!, g!], { fn }),
        }),
        bad: [bad([2, 3], [3])((x, g) => x!.graph.add('activationGrad', [x!, g!], { fn }))],
      },
      {
        op: 'gatedActivation',
        title: `gatedActivation ${fn}`,
        make: (r) => ({
          inputs: { a: domain(r, [5, 7]), b: normal(r, [5, 7]) },
          build: ({ a, b }) => [ops.gatedActivation(a!, b!, fn)],
        }),
        bad: [bad([2, 3], [3])((a, b) => ops.gatedActivation(a!, b!, fn))],
      },
      {
        op: 'gatedActivationGrad',
        title: `gatedActivationGrad ${fn}`,
        make: (r) => ({
          inputs: { a: domain(r, [5, 7]), b: normal(r, [5, 7]), g: normal(r, [5, 7]) },
          build: ({ a, b, g }, graph) => graph.add('gatedActivationGrad', [a!, b!, g!], { fn }),
        }),
      },
    ];
  },
);

export interface AttentionVariant {
  title: string;
  tq?: number;
  tk?: number;
  heads?: number;
  kvHeads?: number;
  size?: number;
  valueSize?: number;
  causal?: boolean;
  window?: number;
  softcap?: number;
  keyMask?: 'random' | 'first row empty';
  slope?: boolean;
  rate?: number;
  /** Documents that share the rows. */
  starts?: boolean;
}

/** Every option of attention, alone and together. */
export const ATTENTION_VARIANTS: readonly AttentionVariant[] = [
  { title: 'plain' },
  { title: 'causal', causal: true, heads: 3 },
  { title: 'causal, more keys than queries', causal: true, tq: 3, tk: 7 },
  { title: 'window', causal: true, window: 3 },
  { title: 'key padding', keyMask: 'random' },
  { title: 'key padding, a sequence without any key', keyMask: 'first row empty', causal: true },
  { title: 'slope', slope: true, causal: true, heads: 3 },
  { title: 'soft-cap', softcap: 1.5, heads: 2 },
  { title: 'grouped queries', heads: 6, kvHeads: 2, causal: true },
  { title: 'one key-value head', heads: 4, kvHeads: 1 },
  { title: 'values wider than keys', size: 3, valueSize: 7 },
  { title: 'dropout', rate: 0.4, causal: true },
  { title: 'documents', causal: true, tq: 7, starts: true },
  {
    title: 'everything',
    starts: true,
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    causal: true,
    window: 4,
    softcap: 2,
    keyMask: 'first row empty',
    slope: true,
    rate: 0.25,
  },
];

/** Where the documents of each row begin, at random. */
function startsOf(r: Random, batch: number, length: number): Int32Array {
  const starts = new Int32Array(batch * length);
  for (let at = 0; at < starts.length; at++)
    starts[at] = at % length === 0 ? 0 : r() < 0.4 ? at % length : starts[at - 1]!;
  return starts;
}

export function attentionInputs(r: Random, v: AttentionVariant): Record<string, CaseInput> {
  const batch = 2;
  const tq = v.tq ?? 5;
  const tk = v.tk ?? tq;
  const heads = v.heads ?? 1;
  const kvHeads = v.kvHeads ?? heads;
  const size = v.size ?? 3;
  const inputs: Record<string, CaseInput> = {
    q: normal(r, [batch, tq, heads, size]),
    k: normal(r, [batch, tk, kvHeads, size]),
    v: normal(r, [batch, tk, kvHeads, v.valueSize ?? size]),
  };
  if (v.keyMask !== undefined) {
    inputs.keyMask = bits(r, [batch, tk], 0.7);
    if (v.keyMask === 'first row empty') {
      inputs.keyMask.data.fill(0, 0, tk);
      // The other sequence has two keys at least: with one, every gradient of the scores is 0, and roundings would be all there is.
      inputs.keyMask.data.fill(1, tk, tk + 2);
    }
  }
  if (v.slope === true) inputs.slope = positive(r, [heads]);
  if (v.rate !== undefined) inputs.key = key(r);
  if (v.starts === true) inputs.starts = i32([batch, tq], startsOf(r, batch, tq));
  return inputs;
}

export function buildAttention(variant: AttentionVariant, x: Readonly<Record<string, Value>>): Value {
  return ops.attention(x.q!, x.k!, x.v!, {
    causal: variant.causal,
    window: variant.window,
    softcap: variant.softcap,
    keyMask: x.keyMask,
    slope: x.slope,
    starts: x.starts,
    dropout: variant.rate === undefined ? undefined : { rate: variant.rate, key: x.key!, stream: 3 },
  });
}

const attentionCases: OperationCase[] = ATTENTION_VARIANTS.flatMap((variant): OperationCase[] => [
  {
    op: 'attention',
    title: `attention: ${variant.title}`,
    make: (r) => ({
      inputs: attentionInputs(r, variant),
      build: (x) => buildAttention(variant, x).node.outputs,
      // The second output (log-sum-exp) is there for backward only.
      differentiableOutputs: [0],
    }),
    bad: [
      bad([2, 5, 3], [2, 5, 3], [2, 5, 3])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([2, 5, 3, 4], [2, 5, 2, 4], [2, 5, 2, 4])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([2, 5, 2, 4], [2, 5, 2, 3], [2, 5, 2, 4])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([1, 5, 2, 4], [1, 5, 2, 4], [1, 5, 2, 4], [3])((q, k, v, slope) => ops.attention(q!, k!, v!, { slope })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5],
      )((q, k, v, keyMask) => ops.attention(q!, k!, v!, { keyMask })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5],
      )((q, k, v, starts) => ops.attention(q!, k!, v!, { starts, causal: true })),
    ],
  },
  {
    op: 'attentionGrad',
    title: `attentionGrad: ${variant.title}`,
    // What forward saved is given independently, so that the function is smooth in each input on its own.
    make: (r) => {
      const inputs = attentionInputs(r, variant);
      const [batch, tq, heads] = inputs.q!.shape as [number, number, number];
      const like = [batch, tq, heads, inputs.v!.shape[3]!];
      return {
        inputs: { ...inputs, out: normal(r, like), lse: normal(r, [batch, heads, tq], 0.3, 2), g: normal(r, like) },
        build: (x, graph) => {
          const { inputs: own, attrs } = buildAttention(variant, x).node;
          return graph.add('attentionGrad', [...own.slice(0, 3), x.out!, x.lse!, x.g!, ...own.slice(3)], attrs);
        },
      };
    },
  },
]);

export interface SparseVariant extends AttentionVariant {
  length: number;
  pattern: ops.SparsePattern;
  selected?: boolean;
}

const patterns = (names: readonly ops.Pattern[], block: number, summary = 1, groups = 1): ops.SparsePattern => ({
  patterns: names,
  block,
  summary,
  groups,
});

/** Every pattern and option of sparse attention, alone and together. */
export const SPARSE_VARIANTS: readonly SparseVariant[] = [
  { title: 'all', length: 5, pattern: patterns(['all'], 3) },
  { title: 'local', length: 7, pattern: patterns(['local'], 3), heads: 2 },
  { title: 'strided', length: 8, pattern: patterns(['strided'], 3) },
  { title: 'fixed, columns by head', length: 11, pattern: patterns(['fixed'], 4, 1, 3), heads: 4 },
  { title: 'heads of several patterns', length: 7, pattern: patterns(['local', 'strided'], 2), heads: 3 },
  { title: 'selected', length: 7, pattern: patterns(['local'], 2), heads: 2, selected: true },
  {
    title: 'everything',
    starts: true,
    length: 6,
    pattern: patterns(['fixed', 'strided', 'local', 'all'], 2, 1, 2),
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    softcap: 2,
    keyMask: 'first row empty',
    slope: true,
    rate: 0.25,
  },
  {
    title: 'everything, selected',
    starts: true,
    length: 6,
    pattern: patterns(['local'], 2),
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    softcap: 2,
    keyMask: 'random',
    slope: true,
    rate: 0.25,
    selected: true,
  },
];

/** Scores, thresholds and ends that any tokens might have; no score is 0 or 1 above a threshold. */
function selectionInputs(r: Random, length: number): Record<string, CaseInput> {
  const grid = (shift: number) => Float32Array.from({ length: 2 * length }, () => r.integer(-8, 8) / 5 + shift);
  const expiry = Int32Array.from({ length: 2 * length }, (_, at) => r.integer(at % length, length));
  return {
    scores: f32([2, length], grid(0)),
    threshold: f32([2, length], grid(-0.5)),
    expiry: i32([2, length], expiry),
  };
}

export function sparseInputs(r: Random, v: SparseVariant): Record<string, CaseInput> {
  const inputs = attentionInputs(r, { ...v, tq: v.length });
  return v.selected === true ? { ...inputs, ...selectionInputs(r, v.length) } : inputs;
}

export function buildSparse(variant: SparseVariant, x: Readonly<Record<string, Value>>): Value {
  const { scores, threshold, expiry } = x;
  return ops.sparseAttention(x.q!, x.k!, x.v!, {
    pattern: variant.pattern,
    softcap: variant.softcap,
    keyMask: x.keyMask,
    slope: x.slope,
    starts: x.starts,
    dropout: variant.rate === undefined ? undefined : { rate: variant.rate, key: x.key!, stream: 3 },
    selection: scores && { scores, threshold: threshold!, expiry: expiry!, count: 3 },
  });
}

const plainPattern = patterns(['all'], 2);
const sparseCases: OperationCase[] = SPARSE_VARIANTS.flatMap((variant): OperationCase[] => [
  {
    op: 'sparseAttention',
    title: `sparseAttention: ${variant.title}`,
    make: (r) => ({
      inputs: sparseInputs(r, variant),
      build: (x) => buildSparse(variant, x).node.outputs,
      differentiableOutputs: [0],
    }),
    bad: [
      bad([2, 5, 3], [2, 5, 3], [2, 5, 3])((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [2, 4, 2, 4],
        [2, 5, 2, 4],
        [2, 5, 2, 4],
      )((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [2, 5, 3, 4],
        [2, 5, 2, 4],
        [2, 5, 2, 4],
      )((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [3],
      )((q, k, v, slope) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern, slope })),
    ],
  },
  {
    op: 'sparseAttentionGrad',
    title: `sparseAttentionGrad: ${variant.title}`,
    make: (r) => {
      const inputs = sparseInputs(r, variant);
      const [batch, length, heads] = inputs.q!.shape as [number, number, number];
      const like = [batch, length, heads, inputs.v!.shape[3]!];
      return {
        inputs: { ...inputs, out: normal(r, like), lse: normal(r, [batch, heads, length], 0.3, 2), g: normal(r, like) },
        build: (x, graph) => {
          const { inputs: own, attrs } = buildSparse(variant, x).node;
          const all = [...own.slice(0, 3), x.out!, x.lse!, x.g!, ...own.slice(3)];
          return graph.add('sparseAttentionGrad', all, attrs);
        },
      };
    },
  },
]);

/** The threshold where there is one: the number that stands for none would drown everything else. */
const shownThreshold = (threshold: Value): Value => ops.maximum(threshold, ops.scalar(threshold, -20));
/**
 * Scores less than 1 apart (where k of them stand 1 above all others, a whole range of thresholds does), and no thresholds near which a score
 * comes in or is cut off: there the operation has a kink, and differences say nothing of its slope.
 */
function scoresOffKinks(r: Random, k: number, length: number, starts: Int32Array | undefined): Float32Array {
  for (;;) {
    const scores = Float32Array.from(r.normals(2 * length), (x) => 0.45 * Math.tanh(x));
    const [threshold] = sparsekByDefinition(scores, length, k, starts);
    const near = scores.some((u, i) => {
      const row = i - (i % length);
      const seen = threshold.subarray(i, row + length);
      return seen.some((t) => t > -20 && Math.min(Math.abs(u - t), Math.abs(u - t - 1)) < 0.04);
    });
    if (!near) return scores;
  }
}

const sparsekCases: OperationCase[] = [1, 3].flatMap((k): OperationCase[] =>
  [false, true].map((documents) => ({
    op: 'sparseSelect',
    title: `sparseSelect: the best ${k}${documents ? ' of each document' : ''}`,
    make: (r) => {
      const starts = documents ? startsOf(r, 2, 6) : undefined;
      return {
        inputs: {
          scores: f32([2, 6], scoresOffKinks(r, k, 6, starts)),
          ...(starts === undefined ? {} : { starts: i32([2, 6], starts) }),
        },
        build: ({ scores, starts: of }) => {
          const { threshold, expiry } = ops.sparsek(ops.cast(scores!, 'f32'), k, of);
          return [shownThreshold(threshold), expiry];
        },
      };
    },
    bad: [bad([2, 3, 4])((scores) => ops.sparsek(scores!, 1)), bad([2, 3], [2, 3])((a, b) => ops.sparsek(a!, 1, b!))],
  })),
);
const sparsekGradCases: OperationCase[] = [false, true].map((documents) => ({
  op: 'sparseSelectGrad',
  title: `sparseSelectGrad${documents ? ' of documents' : ''}`,
  make: (r) => ({
    inputs: {
      scores: { ...normal(r, [2, 9]), differentiable: false },
      threshold: { ...normal(r, [2, 9], 0.5, -0.4), differentiable: false },
      g: { ...normal(r, [2, 9]), differentiable: false },
      ...(documents ? { starts: i32([2, 9], startsOf(r, 2, 9)) } : {}),
    },
    build: ({ scores, threshold, g, starts }, graph) => {
      const own = [scores!, threshold!, g!, ...(starts === undefined ? [] : [starts])];
      return graph.add('sparseSelectGrad', own);
    },
  }),
}));

/** Choices of `active` experts for each token, one of which may get none; and tokens that chose too few or too many. */
function choicesOf(r: Random, tokens: number, experts: number, active: number): Float32Array {
  const chosen = new Float32Array(tokens * experts);
  for (let t = 0; t < tokens; t++) {
    // The second expert is never chosen where there are enough others.
    const open = Array.from({ length: experts }, (_, e) => e).filter((e) => e !== 1 || experts <= active);
    for (let i = 0; i < active; i++) chosen[t * experts + open.splice(r.integer(0, open.length - 1), 1)[0]!] = 1;
  }
  return chosen;
}
/** Ends of groups of so many rows: one is empty, and a few rows belong to none. */
function endsOf(r: Random, rows: number, groups: number): Int32Array {
  const cuts = r.integers(groups, 0, rows).sort();
  if (groups > 1) cuts[1] = cuts[0]!;
  return cuts;
}
const expertCases: OperationCase[] = [
  ...[
    [5, 2],
    [1, 1],
    [3, 3],
  ].map(([experts, active]): OperationCase => ({
    op: 'expertPlaces',
    title: `expertPlaces: ${active} of ${experts}`,
    make: (r) => ({
      inputs: { chosen: { ...f32([7, experts!], choicesOf(r, 7, experts!, active!)), differentiable: false } },
      build: ({ chosen }) => Object.values(ops.expertPlaces(ops.cast(chosen!, 'f32'), active!)),
    }),
    bad: [
      bad([3, 2])((x) => ops.expertPlaces(x!, 3)),
      bad([3])((x) => ops.expertPlaces(x!, 1)),
      (graph) => ops.expertPlaces(integers(graph, [3, 2]), 1),
    ],
  })),
  {
    op: 'expertPlaces',
    title: 'expertPlaces: rows without a choice, and with more than count',
    make: () => ({
      inputs: {
        chosen: { ...f32([3, 4], Float32Array.of(0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0)), differentiable: false },
      },
      build: ({ chosen }) => Object.values(ops.expertPlaces(ops.cast(chosen!, 'f32'), 2)),
    }),
  },
  {
    op: 'gatherSum',
    title: 'gatherSum',
    make: (r) => ({
      inputs: { table: normal(r, [5, 9]), index: i32([12], r.integers(12, 0, 4)) },
      build: ({ table, index }) => [ops.gatherSum(table!, index!, 3)],
    }),
    bad: [(graph) => ops.gatherSum(floats(graph, [3, 2])[0]!, integers(graph, [5]), 2)],
  },
  ...(['toPlaces', 'fromPlaces'] as const).map((op): OperationCase => ({
    op,
    title: op,
    make: (r) => ({
      inputs: {
        x: normal(r, [op === 'toPlaces' ? 7 : 14, 5]),
        chosen: { ...f32([7, 4], choicesOf(r, 7, 4, 2)), differentiable: false },
      },
      build: ({ x, chosen }) => {
        const places = ops.expertPlaces(ops.cast(chosen!, 'f32'), 2);
        return [op === 'toPlaces' ? ops.toPlaces(x!, places) : ops.fromPlaces(x!, places, 7)];
      },
    }),
    bad: [
      (graph) => {
        const [x, chosen] = floats(graph, [4, 3], [2, 3]);
        const places = ops.expertPlaces(chosen!, 2);
        return op === 'toPlaces'
          ? ops.toPlaces(ops.reshape(x!, [12]), places)
          : ops.fromPlaces(ops.reshape(x!, [6, 2]), places, 2);
      },
    ],
  })),
  ...[false, true].map((transposed): OperationCase => ({
    op: 'groupedMatmul',
    title: `groupedMatmul${transposed ? ', transposed' : ''}`,
    make: (r) => {
      const [rows, groups, k, n] = [11, r.pick([1, 3, 5]), odd(r), odd(r)];
      return {
        inputs: {
          x: normal(r, [rows, k]),
          w: normal(r, transposed ? [groups, n, k] : [groups, k, n]),
          ends: i32([groups], endsOf(r, rows, groups)),
        },
        build: ({ x, w, ends }) => [ops.groupedMatmul(x!, w!, ends!, { transposed })],
      };
    },
    bad: [
      (graph) => {
        const [x, w] = floats(graph, [4, 3], [2, 5, 5]);
        return ops.groupedMatmul(x!, w!, integers(graph, [2]), { transposed });
      },
      (graph) => {
        const [x, w] = floats(graph, [4, 3], [2, 3, 3]);
        return ops.groupedMatmul(x!, w!, integers(graph, [3]), { transposed });
      },
    ],
  })),
  {
    op: 'groupedOuter',
    title: 'groupedOuter',
    make: (r) => {
      const groups = r.pick([1, 3, 5]);
      return {
        inputs: { x: normal(r, [11, odd(r)]), y: normal(r, [11, odd(r)]), ends: i32([groups], endsOf(r, 11, groups)) },
        build: ({ x, y, ends }) => [ops.groupedOuter(x!, y!, ends!)],
      };
    },
    bad: [
      (graph) => {
        const [x, y] = floats(graph, [4, 3], [5, 3]);
        return ops.groupedOuter(x!, y!, integers(graph, [2]));
      },
    ],
  },
];

const rotaryCases: OperationCase[] = [false, true].map((inverse) => ({
  op: 'rotary',
  title: `rotary${inverse ? ' inverse' : ''}`,
  make: (r) => ({
    inputs: { x: normal(r, [2, 7, 3, r.pick([2, 4, 6])]) },
    build: ({ x }, graph) => graph.add('rotary', [x!], { base: 10000, inverse }),
  }),
  bad: [bad([2, 7, 3, 5])((x) => ops.rotary(x!, 10000)), bad([2, 7, 4])((x) => ops.rotary(x!, 10000))],
}));

const lossCases: OperationCase[] = [0, 3].flatMap((softcap): OperationCase[] => {
  const make = (r: Random) => {
    const targets = r.integers(7, 0, 4);
    targets[2] = -1;
    return { hidden: normal(r, [7, 3], 2), weight: normal(r, [5, 3]), targets: i32([7], targets) };
  };
  const name = softcap > 0 ? ' with soft-cap' : '';
  return [
    {
      op: 'linearCrossEntropy',
      title: `linearCrossEntropy${name}`,
      make: (r) => ({
        inputs: make(r),
        build: ({ hidden, weight, targets }) => {
          const { loss, correct } = ops.linearCrossEntropy(hidden!, weight!, targets!, { softcap });
          return [loss, correct];
        },
        differentiableOutputs: [0],
      }),
      bad: [
        (g) => ops.linearCrossEntropy(...(floats(g, [7, 3], [5, 4]) as [Value, Value]), integers(g, [7])),
        (g) => ops.linearCrossEntropy(...(floats(g, [7, 3], [5, 3]) as [Value, Value]), integers(g, [6])),
      ],
    },
    {
      op: 'linearCrossEntropyGrad',
      title: `linearCrossEntropyGrad${name}`,
      make: (r) => ({
        inputs: { ...make(r), g: normal(r, [7]) },
        build: ({ hidden, weight, targets, g }, graph) =>
          graph.add('linearCrossEntropyGrad', [hidden!, weight!, targets!, g!], {
            softcap,
            outHidden: 'f32',
          }),
      }),
    },
  ];
});

/** An optimizer and the constants that its settings give. */
interface OptimizerVariant {
  readonly rule: string;
  readonly [constant: string]: string | number | boolean;
}

export const OPTIMIZER_VARIANTS: readonly OptimizerVariant[] = [
  { rule: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-6 },
  { rule: 'adam', beta1: 0.8, beta2: 0.99, eps: 1e-8 },
  { rule: 'sgd', momentum: 0, nesterov: false },
  { rule: 'sgd', momentum: 0.9, nesterov: false },
  { rule: 'sgd', momentum: 0.9, nesterov: true },
  { rule: 'adagrad', eps: 1e-8 },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0, centered: false },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0.8, centered: false },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0.8, centered: true },
];

/** The kind of a variant and its settings. */
export function optimizerOf({ rule, ...constants }: OptimizerVariant) {
  const kind = optimizerFamily.kinds.find(({ name }) => name === rule)!;
  const settings = Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [`optimizer.${name}`, value]),
  ) as Config;
  const scalars = Object.keys(kind.scalars?.(settings, 1) ?? {});
  return { kind, settings, names: kind.moments(settings), scalars };
}

/** An update with p for every moment and s for every number. */
function updateWith(attrs: OptimizerVariant, p: Value, g: Value, s: Value): Value {
  const { kind, settings, names, scalars } = optimizerOf(attrs);
  const moments = Object.fromEntries(names.map((name) => [name, p]));
  const hyper = { lr: s, decay: s, ...Object.fromEntries(scalars.map((name) => [name, s])) };
  return ops.optimizerUpdate(kind, settings, { p, g, moments, gradientScale: s, hyper }).p;
}

const optimizerCases: OperationCase[] = [
  ...OPTIMIZER_VARIANTS.map((attrs): OperationCase => ({
    op: 'optimizerUpdate',
    title: `optimizerUpdate ${JSON.stringify(attrs)}`,
    make: (r) => {
      const { kind, settings, names, scalars } = optimizerOf(attrs);
      const inputs: Record<string, CaseInput> = {
        p: normal(r, [5, 7]),
        g: away(r, [5, 7]),
        gradientScale: scalar(0.7),
        lr: scalar(0.05),
        decay: scalar(0.1),
        ...Object.fromEntries(scalars.map((name, i) => [name, scalar(0.3 - 0.1 * i)])),
      };
      names.forEach((name) => {
        // Second moments are positive, and above the square of the mean that the centred form subtracts.
        const second = name === 'second' || name === 'square' || name === 'sum';
        inputs[name] = second
          ? f32(
              [5, 7],
              r.normals(35).map((x) => 2 + Math.abs(x)),
            )
          : normal(r, [5, 7], 0.2);
      });
      return {
        inputs,
        build: (x) => {
          const update = ops.optimizerUpdate(kind, settings, {
            p: x.p!,
            g: x.g!,
            moments: x,
            gradientScale: x.gradientScale!,
            hyper: x as ops.Hyper,
            working: 'bf16',
          });
          return [update.p, ...names.map((name) => update.moments[name]!), update.working!];
        },
        // The working copy is rounded: nobody differentiates through it.
        differentiableOutputs: [0, ...names.map((_, i) => i + 1)],
      };
    },
    bad: [
      bad([3], [4], [])((p, g, s) => updateWith(attrs, p!, g!, s!)),
      bad(
        [3],
        [3],
        [],
      )((p, g, s) => p!.graph.add('optimizerUpdate', [p!, g!, s!], updateWith(attrs, p!, g!, s!).node.attrs)),
    ],
  })),
  {
    op: 'globalNorm',
    title: 'globalNorm',
    make: (r) => ({
      inputs: { a: normal(r, [5, 7]), b: normal(r, [3]), c: normal(r, []) },
      build: ({ a, b, c }) => [ops.globalNorm([a!, b!, c!])],
    }),
  },
];

const fusedCases: OperationCase[] = [
  ...(
    [
      {},
      { residual: true },
      { bias: true, activation: 'gelu_tanh', savePre: true },
      { bias: true, residual: true, activation: 'silu' },
      { aux: true },
      { aux: true, residual: true, transposeA: true },
    ] as {
      residual?: boolean;
      bias?: boolean;
      aux?: boolean;
      savePre?: boolean;
      transposeA?: boolean;
      activation?: 'silu';
    }[]
  ).map((options): OperationCase => ({
    op: 'gemm',
    title: `gemm ${JSON.stringify(options)}`,
    make: (r) => {
      const transposeB = r() < 0.5;
      const { transposeA = false } = options;
      const inputs: Record<string, CaseInput> = {
        a: normal(r, transposeA ? [5, 3] : [3, 5]),
        b: normal(r, transposeB ? [7, 5] : [5, 7]),
      };
      if (options.residual === true) inputs.residual = normal(r, [3, 7]);
      if (options.bias === true) inputs.bias = normal(r, [7]);
      if (options.aux === true) inputs.aux = normal(r, [3, 7]);
      return {
        inputs,
        build: ({ a, b, residual, bias, aux }) => {
          const { y } = ops.gemm(a!, b!, {
            transposeA,
            transposeB,
            out: 'f32',
            residual,
            bias,
            activation: options.activation,
            savePre: options.savePre,
            derivativeOf: aux === undefined ? undefined : { activation: 'gelu', aux },
          });
          return y.node.outputs;
        },
      };
    },
    bad: [
      bad([2, 3], [2, 3])((a, b) => ops.gemm(a!, b!, { out: 'f32' })),
      bad([2, 3], [3, 4], [2, 3])((a, b, residual) => ops.gemm(a!, b!, { out: 'f32', residual })),
    ],
  })),
  {
    op: 'normGradAdd',
    title: 'normGradAdd',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5], 2), gain: normal(r, [5]), g: normal(r, [3, 5]), addend: normal(r, [3, 5]) },
      build: ({ x, gain, g, addend }, graph) =>
        graph.add('normGradAdd', [x!, gain!, g!, addend!], { kind: 'layer', eps: 1e-5, bias: true }),
    }),
  },
  {
    op: 'scatterAddTo',
    title: 'scatterAddTo',
    make: (r) => ({
      inputs: { base: normal(r, [7, 3]), at: i32([5], r.integers(5, 0, 6)), updates: normal(r, [5, 3]) },
      build: ({ base, at, updates }, graph) => graph.add('scatterAddTo', [base!, at!, updates!]),
    }),
  },
  ...[false, true].map((hasBase): OperationCase => ({
    op: 'crossEntropyWithGradient',
    title: `crossEntropyWithGradient${hasBase ? ' onto a base' : ''}`,
    make: (r) => {
      const inputs: Record<string, CaseInput> = {
        hidden: normal(r, [7, 3], 2),
        weight: normal(r, [5, 3]),
        targets: i32([7], r.integers(7, -1, 4)),
        g: normal(r, [7]),
      };
      if (hasBase) inputs.base = normal(r, [5, 3]);
      return {
        inputs,
        build: (x, graph) => graph.add('crossEntropyWithGradient', Object.values(x), { softcap: 2, outHidden: 'f32' }),
        differentiableOutputs: [0, 2, 3],
      };
    },
  })),
];

const leafCases: OperationCase[] = [
  { op: 'input', title: 'input', make: (r) => ({ inputs: { x: normal(r, [3, 5]) }, build: ({ x }) => [x!] }) },
  {
    op: 'state',
    title: 'state',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5]) },
      build: ({ x }, graph) => [ops.mul(x!, ops.state(graph, 's', [3, 5], 'f32'))],
    }),
  },
  {
    op: 'fill',
    title: 'fill',
    make: () => ({
      inputs: {},
      build: (_, graph) => [
        ops.fill(graph, [3, 5], 1.5),
        ops.fill(graph, [], -2, 'i32'),
        ops.fill(graph, [2000], 0.1, 'bf16'),
      ],
    }),
  },
  { op: 'iota', title: 'iota', make: () => ({ inputs: {}, build: (_, graph) => [ops.iota(graph, 17)] }) },
];

export const CASES: readonly OperationCase[] = [
  ...leafCases,
  ...unaryCases,
  ...binaryCases,
  ...comparisonCases,
  ...movementCases,
  ...reductionCases,
  ...productCases,
  ...indexingCases,
  ...randomCases,
  ...normCases,
  ...activationCases,
  ...attentionCases,
  ...sparseCases,
  ...sparsekCases,
  ...sparsekGradCases,
  ...expertCases,
  ...rotaryCases,
  ...lossCases,
  ...optimizerCases,
  ...fusedCases,
];

/** The state `s` that the case of operation `state` reads. */
export const CASE_STATE = { name: 's', shape: [3, 5], dtype: 'f32', category: 'parameters', scope: '' } as const;
export const CASE_STATE_DATA = Float32Array.from({ length: 15 }, (_, i) => i / 4 - 1);
