/** Primitives that move elements without computing: reshape, transpose, slice, concat, broadcast. */
import { defineOperation, ShapeError } from '../operation.ts';
import { broadcastShapes, requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Shape, Value } from '../value.ts';
import { fill } from './leaves.ts';

defineOperation({
  name: 'reshape',
  kind: 'primitive',
  view: true,
  infer: ([x], attrs) => {
    const shape = attrs.shape as Shape;
    const whole = shape.every((dimension) => Number.isInteger(dimension));
    requireShape(whole && sizeOf(shape) === sizeOf(x!.shape), 'reshape', `cannot become [${shape}]`, x!);
    return [{ shape, dtype: x!.dtype }];
  },
  gradient: (node, [g]) => [reshape(g!, node.inputs[0]!.shape)],
});
/** The same elements in row-major order under another shape; one dimension may be −1. */
export function reshape(x: Value, shape: Shape): Value {
  const known = shape.filter((dimension) => dimension !== -1);
  const full = shape.map((dimension) => (dimension === -1 ? sizeOf(x.shape) / sizeOf(known) : dimension));
  return sameShape(x.shape, full) ? x : x.graph.add('reshape', [x], { shape: full })[0]!;
}

defineOperation({
  name: 'transpose',
  kind: 'primitive',
  infer: ([x], attrs) => {
    const order = attrs.order as Shape;
    const sorted = [...order].sort((a, b) => a - b);
    requireShape(
      order.length === x!.shape.length && sorted.every((axis, i) => axis === i),
      'transpose',
      `bad order [${order}]`,
      x!,
    );
    return [{ shape: order.map((axis) => x!.shape[axis]!), dtype: x!.dtype }];
  },
  gradient: (node, [g]) => {
    const order = node.attrs.order as Shape;
    return [
      transpose(
        g!,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
});
/** Permutes axes: output axis i is input axis order[i]. */
export function transpose(x: Value, order: Shape): Value {
  return order.every((axis, i) => axis === i) ? x : x.graph.add('transpose', [x], { order: [...order] })[0]!;
}

defineOperation({
  name: 'slice',
  kind: 'primitive',
  infer: ([x], attrs) => {
    const { axis, begin, size } = attrs as { axis: number; begin: number; size: number };
    const extent = x!.shape[axis];
    requireShape(
      extent !== undefined && begin >= 0 && size >= 0 && begin + size <= extent,
      'slice',
      `axis ${axis}, ${begin}+${size}`,
      x!,
    );
    return [{ shape: x!.shape.map((d, i) => (i === axis ? size : d)), dtype: x!.dtype }];
  },
  gradient: (node, [g]) => {
    const { axis, begin, size } = node.attrs as { axis: number; begin: number; size: number };
    const x = node.inputs[0]!;
    const zeros = (extent: number) =>
      fill(
        x.graph,
        x.shape.map((d, i) => (i === axis ? extent : d)),
        0,
        g!.dtype,
      );
    const parts: Value[] = [];
    if (begin > 0) parts.push(zeros(begin));
    parts.push(g!);
    const rest = x.shape[axis]! - begin - size;
    if (rest > 0) parts.push(zeros(rest));
    return [concat(parts, axis)];
  },
});
/** Elements begin … begin + size − 1 along one axis. */
export function slice(x: Value, axis: number, begin: number, size: number): Value {
  return begin === 0 && size === x.shape[axis] ? x : x.graph.add('slice', [x], { axis, begin, size })[0]!;
}

defineOperation({
  name: 'concat',
  kind: 'primitive',
  infer: (inputs, attrs) => {
    const axis = attrs.axis as number;
    const first = inputs[0]!;
    requireShape(axis >= 0 && axis < first.shape.length, 'concat', `there is no axis ${axis}`, first);
    let extent = 0;
    for (const x of inputs) {
      const fits = x.dtype === first.dtype && sameShape(x.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1));
      requireShape(fits, 'concat', `inputs may differ along axis ${axis} only`, first, x);
      extent += x.shape[axis]!;
    }
    return [{ shape: first.shape.map((d, i) => (i === axis ? extent : d)), dtype: first.dtype }];
  },
  gradient: (node, [g]) => {
    const axis = node.attrs.axis as number;
    let begin = 0;
    return node.inputs.map((x) => {
      const part = slice(g!, axis, begin, x.shape[axis]!);
      begin += x.shape[axis]!;
      return part;
    });
  },
});
/** Joins arrays along one axis. */
export function concat(parts: readonly Value[], axis: number): Value {
  return parts.length === 1 ? parts[0]! : parts[0]!.graph.add('concat', parts, { axis })[0]!;
}

/** Cuts `x` along `axis` into pieces of the given sizes, which must add up. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[axis])
    throw new ShapeError(`split: sizes [${sizes}] of axis ${axis} of [${x.shape}]`);
  let begin = 0;
  return sizes.map((size) => {
    const part = slice(x, axis, begin, size);
    begin += size;
    return part;
  });
}

defineOperation({
  name: 'broadcastTo',
  kind: 'primitive',
  infer: ([x], attrs) => {
    const shape = attrs.shape as Shape;
    requireShape(
      sameShape(broadcastShapes('broadcastTo', x!.shape, shape), shape),
      'broadcastTo',
      `cannot become [${shape}]`,
      x!,
    );
    return [{ shape, dtype: x!.dtype }];
  },
  gradient: (_, [g]) => [g],
});
/** Repeats `x` to `shape` by NumPy's rule. */
export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : x.graph.add('broadcastTo', [x], { shape: [...shape] })[0]!;
}
