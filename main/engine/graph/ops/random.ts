/**
 * Counter-based random numbers: element p of stream s at (step, micro) is Philox4x32-10 of counter
 * (⌊p/4⌋, s, step, micro) under key seed, lane p mod 4, as (bits >> 8)·2⁻²⁴. No state: recomputing gives the same numbers.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Shape, Value } from '../value.ts';
import { greaterEqual, mul, scalar, select } from './elementwise.ts';

defineOperation({
  name: 'uniform',
  kind: 'primitive',
  infer: ([key], attrs) => {
    requireShape(
      key!.dtype === 'i32' && sameShape(key!.shape, [4]),
      'uniform',
      'needs an i32 [4] key: seed low, seed high, step, micro',
      key!,
    );
    return [{ shape: attrs.shape as Shape, dtype: 'f32' }];
  },
  gradient: () => [undefined],
});
/** f32 in [0, 1) of the given shape. `key` is i32 [4]: seed low, seed high, step, micro-batch. */
export function uniform(key: Value, shape: Shape, stream: number): Value {
  return key.graph.add('uniform', [key], { shape: [...shape], stream })[0]!;
}

defineOperation({
  name: 'dropout',
  kind: 'composite',
  infer: ([x, key]) => {
    requireShape(key!.dtype === 'i32', 'dropout', 'the key must be i32 [4]', key!);
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  // The mask is a function of (key, stream), so backward makes it again instead of keeping it.
  gradient: (node, [g]) => [g!.graph.add('dropout', [g!, node.inputs[1]!], node.attrs)[0]!, undefined],
  decompose: ([x, key], attrs) => {
    const rate = attrs.rate as number;
    const keep = greaterEqual(uniform(key!, x!.shape, attrs.stream as number), scalar(x!, rate));
    return [select(keep, mul(x!, scalar(x!, 1 / (1 - rate))), scalar(x!, 0))];
  },
  inPlace: [[0, 0]],
});
/** Zeroes each element with probability `rate` and scales the rest by 1/(1 − rate). */
export function dropout(x: Value, key: Value, rate: number, stream: number): Value {
  return rate === 0 ? x : x.graph.add('dropout', [x, key], { rate, stream })[0]!;
}
