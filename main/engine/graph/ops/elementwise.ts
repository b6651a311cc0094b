/** Element-wise primitives with NumPy broadcasting. */
import { defineOperation } from '../operation.ts';
import { broadcastShapes, elementwiseType, isFloat, lowestPrecision, requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { DType, Value } from '../value.ts';
import { fill } from './leaves.ts';

type UnaryGradient = (x: Value, y: Value, g: Value) => Value;

/** f'(x)·g for every unary primitive, from x and y = f(x). */
const UNARY: Record<string, UnaryGradient | undefined> = {
  neg: (_x, _y, g) => neg(g),
  exp: (_x, y, g) => mul(g, y),
  log: (x, _y, g) => div(g, x),
  tanh: (_x, y, g) => mul(g, sub(scalar(y, 1), square(y))),
  sigmoid: (_x, y, g) => mul(g, mul(y, sub(scalar(y, 1), y))),
  // d erf(x)/dx = 2/√π · exp(−x²)
  erf: (x, _y, g) => mul(g, mul(scalar(x, 2 / Math.sqrt(Math.PI)), exp(neg(square(x))))),
  sqrt: (_x, y, g) => div(mul(g, scalar(y, 0.5)), y),
  rsqrt: (x, y, g) => mul(mul(g, scalar(y, -0.5)), div(y, x)),
  relu: (x, _y, g) => select(greater(x, scalar(x, 0)), g, scalar(g, 0)),
  square: (x, _y, g) => mul(g, mul(scalar(x, 2), x)),
  softplus: (x, _y, g) => mul(g, sigmoid(x)),
  sin: (x, _y, g) => mul(g, cos(x)),
  cos: (x, _y, g) => neg(mul(g, sin(x))),
};

for (const name of Object.keys(UNARY)) {
  defineOperation({
    name,
    kind: 'primitive',
    infer: ([x]) => [{ shape: x!.shape, dtype: lowestPrecision(name, [x!]) }],
    gradient: (node, [g]) => [UNARY[name]!(node.inputs[0]!, node.outputs[0]!, g!)],
    inPlace: [[0, 0]],
  });
}

const unary = (op: string) => (x: Value) => x.graph.add(op, [x])[0]!;
export const neg = unary('neg');
export const exp = unary('exp');
export const log = unary('log');
export const tanh = unary('tanh');
export const sigmoid = unary('sigmoid');
export const erf = unary('erf');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const relu = unary('relu');
export const square = unary('square');
/** log(1 + eˣ), computed without overflow. */
export const softplus = unary('softplus');
export const sin = unary('sin');
export const cos = unary('cos');

type BinaryGradient = (a: Value, b: Value, y: Value, g: Value) => [Value, Value];
const BINARY: Record<string, BinaryGradient> = {
  add: (_a, _b, _y, g) => [g, g],
  sub: (_a, _b, _y, g) => [g, neg(g)],
  mul: (a, b, _y, g) => [mul(g, b), mul(g, a)],
  div: (_a, b, y, g) => [div(g, b), neg(mul(g, div(y, b)))],
  // Ties send the whole gradient to the first operand.
  maximum: (a, b, _y, g) => [select(greaterEqual(a, b), g, scalar(g, 0)), select(greaterEqual(a, b), scalar(g, 0), g)],
  minimum: (a, b, _y, g) => [select(greaterEqual(b, a), g, scalar(g, 0)), select(greaterEqual(b, a), scalar(g, 0), g)],
};

for (const [name, rule] of Object.entries(BINARY)) {
  defineOperation({
    name,
    kind: 'primitive',
    infer: ([a, b]) => {
      const shape = broadcastShapes(name, a!.shape, b!.shape);
      return [{ shape, dtype: elementwiseType(name, [a!, b!], shape) }];
    },
    gradient: (node, [g]) => {
      const [a, b] = node.inputs as [Value, Value];
      return rule(a, b, node.outputs[0]!, g!);
    },
    inPlace: [
      [0, 0],
      [0, 1],
    ],
  });
}

const binary = (op: string) => (a: Value, b: Value) => a.graph.add(op, [a, b])[0]!;
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const maximum = binary('maximum');
export const minimum = binary('minimum');

for (const name of ['greater', 'greaterEqual', 'less', 'equal']) {
  defineOperation({
    name,
    kind: 'primitive',
    infer: ([a, b]) => {
      requireShape(isFloat(a!.dtype) === isFloat(b!.dtype), name, 'both floating-point or both integers', a!, b!);
      return [{ shape: broadcastShapes(name, a!.shape, b!.shape), dtype: 'u8' }];
    },
    gradient: () => [undefined, undefined],
  });
}
/** Comparisons give u8: 1 where true, else 0. */
export const greater = binary('greater');
export const greaterEqual = binary('greaterEqual');
export const less = binary('less');
export const equal = binary('equal');

defineOperation({
  name: 'select',
  kind: 'primitive',
  infer: ([condition, a, b]) => {
    requireShape(condition!.dtype === 'u8', 'select', 'the condition must be u8', condition!);
    const shape = broadcastShapes('select', broadcastShapes('select', condition!.shape, a!.shape), b!.shape);
    return [{ shape, dtype: elementwiseType('select', [a!, b!], shape) }];
  },
  gradient: (node, [g]) => {
    const condition = node.inputs[0]!;
    return [undefined, select(condition, g!, scalar(g!, 0)), select(condition, scalar(g!, 0), g!)];
  },
  inPlace: [
    [0, 1],
    [0, 2],
  ],
});
/** `a` where `condition` is non-zero, else `b`; NaN in the branch not taken does not leak. */
export function select(condition: Value, a: Value, b: Value): Value {
  return a.graph.add('select', [condition, a, b])[0]!;
}

defineOperation({
  name: 'cast',
  kind: 'primitive',
  infer: ([x], attrs) => [{ shape: x!.shape, dtype: attrs.dtype as DType }],
  gradient: (node, [g]) => [isFloat(node.inputs[0]!.dtype) ? cast(g!, gradientType(node.inputs[0]!)) : undefined],
});
/** Conversion between types; to 16 bits rounds to nearest even, float to integer truncates. */
export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : x.graph.add('cast', [x], { dtype })[0]!;
}

/** A constant of the same graph, scalar, ready to broadcast against `like`. */
export function scalar(like: Value, value: number): Value {
  return fill(like.graph, [], value, 'f32');
}

/** Whether a value is state (weights), a piece or another shape of it, or joined with it. */
function isOfState({ node: { op, inputs } }: Value): boolean {
  if (op === 'state') return true;
  return op === 'concat' ? inputs.some(isOfState) : (op === 'slice' || op === 'reshape') && isOfState(inputs[0]!);
}

/** Type that a gradient with respect to `value` has: 32 bits for what is made of state, else the value's own. */
export const gradientType = (value: Value): DType => (isOfState(value) ? 'f32' : value.dtype);

/** Adds two gradients of the same value. */
export function accumulateGradients(a: Value, b: Value): Value {
  if (!sameShape(a.shape, b.shape))
    throw new Error(`gradients of one value differ in shape: [${a.shape}] [${b.shape}]`);
  return add(a, b);
}
