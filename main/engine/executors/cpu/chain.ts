/** Element-wise primitives as programs of the `chain` kernel. */
import { ShapeError } from '../../graph/operation.ts';
import type { Node, Shape, Value } from '../../graph/value.ts';
import type { KernelCall } from './calls.ts';
import { typeCode } from './codes.ts';

/** Opcodes by name, as the addon lists them. */
export type ChainOpcodes = Readonly<Record<string, number>>;

/** One instruction: opcode, destination register, up to three sources, and an immediate. */
type Instruction = [op: string, to: number, a?: number, b?: number, c?: number, immediate?: number];

/** Instructions of a primitive on registers 0 … inputs − 1; the result is in the register written last. */
function instructions(node: Node): Instruction[] {
  const free = node.inputs.length;
  switch (node.op) {
    case 'maximum':
      return [['max', free, 0, 1]];
    case 'minimum':
      return [['min', free, 0, 1]];
    case 'greater':
      return [['less', free, 1, 0]];
    case 'greaterEqual':
      return [['less_equal', free, 1, 0]];
    case 'select':
      return [['select', free, 0, 1, 2]];
    case 'fill':
      return [['constant', 0, 0, 0, 0, node.attrs.value as number]];
    case 'iota':
      return [['index', 0, 0, 0, 0, 0]];
    case 'uniform':
      return [['uniform', free]];
    case 'oneHot':
      return [
        ['index', free, 0, 0, 0, node.outputs[0]!.shape.length - 1],
        ['equal', free, free, 0],
      ];
    case 'broadcastTo':
      return [['copy', free, 0]];
    default:
      return [[node.op, free, ...node.inputs.map((_, i) => i)] as Instruction];
  }
}

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

const CHAIN_OPS: ReadonlySet<string> = new Set(
  (
    'neg exp log tanh sigmoid erf sqrt rsqrt relu square softplus sin cos add sub mul div maximum minimum ' +
    'greater greaterEqual less equal select fill iota uniform oneHot broadcastTo'
  ).split(' '),
);

export const isChain = (op: string): boolean => CHAIN_OPS.has(op);

/** The `chain` call of an element-wise primitive. */
export function chainCall(node: Node, at: (value: Value) => number, opcodes: ChainOpcodes): KernelCall {
  const out = node.outputs[0]!;
  const random = node.op === 'uniform';
  const inputs = random ? [] : node.inputs;
  const code = instructions(random ? { ...node, inputs: [] } : node);
  const extra = [out.shape.length, ...out.shape, inputs.length];
  for (const value of inputs) {
    // The index vector of a one-hot lacks the last axis, along which it does not move.
    const strides =
      node.op === 'oneHot'
        ? broadcastStrides([...value.shape, 1], out.shape)
        : broadcastStrides(value.shape, out.shape);
    extra.push(at(value), typeCode(value.dtype), ...strides);
  }
  extra.push(1, at(out), typeCode(out.dtype), code.at(-1)![1], code.length);
  for (const [op, to, a = 0, b = 0, c = 0, immediate = 0] of code) {
    const opcode = opcodes[op];
    if (opcode === undefined) throw new ShapeError(`the native addon has no element-wise operation ${op}`);
    extra.push(opcode, to, a, b, c, immediate);
  }
  const fields: Record<string, number> = random
    ? { seed: at(node.inputs[0]!), stream: node.attrs.stream as number }
    : {};
  return { kernel: 'chain', fields, extra };
}
