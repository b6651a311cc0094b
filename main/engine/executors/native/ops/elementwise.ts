/** Element-wise primitives as programs of the `chain` kernel, and dropout. */
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Shape, Value } from '../../../graph/value.ts';
import { typeName } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperation, NativeOperations } from '../operation.ts';

/** One instruction: opcode, destination register, up to three sources, and an immediate. */
type Instruction = [op: string, to: number, a?: number, b?: number, c?: number, immediate?: number];

/** Instructions of a primitive on registers 0 … free − 1, which hold its inputs; the result is in the register written last. */
type Code = (free: number, node: Node) => Instruction[];

const unary =
  (op: string): Code =>
  (free) => [[op, free, 0]];
const binary =
  (op: string, first = 0): Code =>
  (free) => [[op, free, first, 1 - first]];

const CODE: Readonly<Record<string, Code>> = {
  neg: unary('neg'),
  exp: unary('exp'),
  log: unary('log'),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid'),
  erf: unary('erf'),
  sqrt: unary('sqrt'),
  rsqrt: unary('rsqrt'),
  relu: unary('relu'),
  square: unary('square'),
  softplus: unary('softplus'),
  sin: unary('sin'),
  cos: unary('cos'),
  broadcastTo: unary('copy'),

  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  maximum: binary('max'),
  minimum: binary('min'),
  less: binary('less'),
  greater: binary('less', 1),
  greaterEqual: binary('less_equal', 1),
  equal: binary('equal'),

  select: (free) => [['select', free, 0, 1, 2]],
  fill: (_, { attrs }) => [['constant', 0, 0, 0, 0, attrs.value as number]],
  iota: () => [['index', 0, 0, 0, 0, 0]],
  uniform: (free) => [['uniform', free]],
  oneHot: (free, { outputs: [y] }) => [
    ['index', free, 0, 0, 0, y!.shape.length - 1],
    ['equal', free, free, 0],
  ],
};

/** Strides, in elements, with which an input of `shape` walks an output of `out`. */
function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = out.map(() => 0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis + out.length - shape.length] = shape[axis] === 1 ? 0 : step;
    step *= shape[axis]!;
  }
  return strides;
}

function chain(node: Node): KernelCall {
  const [y] = node.outputs as [Value];
  const random = node.op === 'uniform';
  const inputs = random ? [] : node.inputs;
  const code = CODE[node.op]!(inputs.length, node);
  const extra: NonNullable<KernelCall['extra']>[number][] = [y.shape.length, ...y.shape, inputs.length];
  for (const x of inputs) {
    // The index vector of a one-hot lacks the last axis, along which it does not move.
    const shape = node.op === 'oneHot' ? [...x.shape, 1] : x.shape;
    extra.push(x, typeName(x.dtype), ...broadcastStrides(shape, y.shape));
  }
  extra.push(1, y, typeName(y.dtype), code.at(-1)![1], code.length);
  for (const [op, to, a = 0, b = 0, c = 0, immediate = 0] of code)
    extra.push({ enum: 'ChainOp', name: op }, to, a, b, c, immediate);
  const fields = random ? { seed: node.inputs[0]!, stream: node.attrs.stream as number } : { seed: null, stream: 0 };
  return { kernel: 'chain', fields, extra };
}

/** Integers are filled by a kernel of their own: registers hold floats. */
function fill(node: Node): KernelCall[] {
  const [y] = node.outputs as [Value];
  if (y.dtype !== 'i32' && y.dtype !== 'u8') return [chain(node)];
  const fields = { y, n: sizeOf(y.shape), ytype: y.dtype, value: node.attrs.value as number };
  return [{ kernel: 'fill', fields }];
}

const primitive: NativeOperation = { calls: (node) => [chain(node)] };

export const ELEMENTWISE: NativeOperations = {
  ...Object.fromEntries(Object.keys(CODE).map((op) => [op, primitive])),
  fill: { calls: fill },
  dropout: {
    calls: ({ inputs, outputs, attrs }) => {
      const [x, seed] = inputs as [Value, Value];
      const [y] = outputs as [Value];
      const fields = {
        x,
        y,
        seed,
        n: sizeOf(x.shape),
        xtype: x.dtype,
        ytype: y.dtype,
        stream: attrs.stream as number,
        p: attrs.rate as number,
      };
      return [{ kernel: 'dropout', fields }];
    },
  },
};
