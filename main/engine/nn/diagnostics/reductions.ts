/** Tensors as single numbers. */
import { div, maximum, neg, reduceMax, reduceSum, reshape, scalar, sqrt, square } from '../../graph/ops/index.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Value } from '../../graph/value.ts';

const axes = (x: Value): number[] => x.shape.map((_, axis) => axis);
/** f32 []: Σ x. */
export const total = (x: Value): Value => reshape(reduceSum(x, axes(x)), []);
/** f32 []: max x. */
export const largest = (x: Value): Value => reshape(reduceMax(x, axes(x)), []);
/** |x| */
export const sizes = (x: Value): Value => maximum(x, neg(x));

/** f32 []: root of the mean square. */
export function rootMeanSquare(x: Value): Value {
  const sum = total(square(x));
  return sqrt(div(sum, scalar(sum, sizeOf(x.shape))));
}
