/** Reductions. Sums of 16-bit inputs are accumulated and returned in 32 bits. */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Shape, Value } from '../value.ts';
import { cast, equal, mul, scalar, select } from './elementwise.ts';
import { broadcastTo, reshape } from './movement.ts';

const reduced = (x: Value, axes: Shape): number[] => x.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
const inputElements = (node: { inputs: readonly Value[] }) => sizeOf(node.inputs[0]!.shape);

function checkAxes(op: string, x: Value, axes: Shape): void {
  const ok = new Set(axes).size === axes.length && axes.every((axis) => axis >= 0 && axis < x.shape.length);
  requireShape(ok, op, `bad axes [${axes}]`, x);
}

defineOperation({
  name: 'reduceSum',
  kind: 'primitive',
  infer: ([x], attrs) => {
    checkAxes('reduceSum', x!, attrs.axes as Shape);
    return [{ shape: reduced(x!, attrs.axes as Shape), dtype: 'f32' }];
  },
  gradient: (node, [g]) => [cast(broadcastTo(g!, node.inputs[0]!.shape), node.inputs[0]!.dtype)],
  flops: inputElements,
});
/** Sum over `axes`, which stay as dimensions of size 1. */
export function reduceSum(x: Value, axes: Shape): Value {
  return x.graph.add('reduceSum', [x], { axes: [...axes] })[0]!;
}

defineOperation({
  name: 'reduceMax',
  kind: 'primitive',
  infer: ([x], attrs) => {
    checkAxes('reduceMax', x!, attrs.axes as Shape);
    return [{ shape: reduced(x!, attrs.axes as Shape), dtype: x!.dtype }];
  },
  // Exact where the maximum is unique; ties each receive the whole gradient. Used on values that are then subtracted out
  // (soft-max), where the choice cannot matter.
  gradient: (node, [g]) => {
    const x = node.inputs[0]!;
    return [select(equal(x, node.outputs[0]!), broadcastTo(g!, x.shape), scalar(x, 0))];
  },
  flops: inputElements,
});
/** Maximum over `axes`, which stay as dimensions of size 1. */
export function reduceMax(x: Value, axes: Shape): Value {
  return x.graph.add('reduceMax', [x], { axes: [...axes] })[0]!;
}

defineOperation({
  name: 'argMax',
  kind: 'primitive',
  infer: ([x]) => {
    requireShape(x!.shape.length >= 1, 'argMax', 'needs at least one axis', x!);
    return [{ shape: x!.shape.slice(0, -1), dtype: 'i32' }];
  },
  gradient: () => [undefined],
  flops: inputElements,
});
/** Index of the first maximum along the last axis. */
export function argMax(x: Value): Value {
  return x.graph.add('argMax', [x])[0]!;
}

/** Mean over `axes`, kept as dimensions of size 1. */
export function reduceMean(x: Value, axes: Shape): Value {
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  return mul(reduceSum(x, axes), scalar(x, 1 / count));
}

/** Sums a gradient over the axes along which a value of `shape` was broadcast. */
export function sumTo(g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const extra = g.shape.length - shape.length;
  const axes: number[] = [];
  g.shape.forEach((dimension, axis) => {
    if (axis < extra || (shape[axis - extra] === 1 && dimension !== 1)) axes.push(axis);
  });
  return reshape(axes.length === 0 ? g : reduceSum(g, axes), shape);
}
