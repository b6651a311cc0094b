/**
 * Rotary position embedding (Su et al. 2021), "rotate half" convention: features i and i + D/2 of a head at position t turn by
 * t·base^(−2i/D). A rotation's adjoint is the opposite rotation, so backward is the same operation.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sizeOf } from '../value.ts';
import type { Value } from '../value.ts';
import { add, cast, cos, exp, mul, scalar, sin, sub } from './elementwise.ts';
import { iota } from './leaves.ts';
import { concat, reshape, slice } from './movement.ts';

defineOperation({
  name: 'rotary',
  kind: 'composite',
  infer: ([x]) => {
    requireShape(
      x!.shape.length === 4 && x!.shape[3]! % 2 === 0,
      'rotary',
      'needs [batch, length, heads, even size]',
      x!,
    );
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  gradient: (node, [g]) => [g!.graph.add('rotary', [g!], { ...node.attrs, inverse: node.attrs.inverse !== true })[0]],
  decompose: ([value], attrs) => {
    const x = cast(value!, 'f32');
    const [, length, , size] = x.shape as [number, number, number, number];
    const half = size / 2;
    const frequency = exp(mul(iota(x.graph, half), scalar(x, (-2 * Math.log(attrs.base as number)) / size)));
    const angle = mul(reshape(iota(x.graph, length), [1, length, 1, 1]), reshape(frequency, [1, 1, 1, half]));
    const c = cos(angle);
    const s = mul(sin(angle), scalar(x, attrs.inverse === true ? -1 : 1));
    const x1 = slice(x, 3, 0, half);
    const x2 = slice(x, 3, half, half);
    return [cast(concat([sub(mul(x1, c), mul(x2, s)), add(mul(x2, c), mul(x1, s))], 3), value!.dtype)];
  },
  flops: (node) => 6 * sizeOf(node.inputs[0]!.shape),
  inPlace: [[0, 0]],
});

/** Rotates x [batch, length, heads, size] by its positions 0 … length − 1. */
export function rotary(x: Value, base: number): Value {
  return x.graph.add('rotary', [x], { base, inverse: false })[0]!;
}
