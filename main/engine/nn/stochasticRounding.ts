/** Rounding to bf16 that keeps small updates on the average: up or down by chance, the more likely the nearer. */
import { add, cast, less, maximum, mul, neg, scalar, select, sub, uniform } from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

/**
 * Of a number r in bf16 (8 bits of precision) its neighbour lies between |r| · 2^−8 and |r| · 2^−7 away, below a power of two half of that. A
 * little more than |r| · 2^−8 therefore always rounds to the neighbour.
 */
const TO_NEIGHBOUR = 2 ** -8 * 1.004;

const rounded = (x: Value): Value => cast(cast(x, 'bf16'), 'f32');
const size = (x: Value): Value => maximum(x, neg(x));

/**
 * One of the two numbers in bf16 next to each element of x (f32), the other one than the nearest with the probability distance ÷ gap, so that the
 * mean is x. What bf16 holds exactly stays as it is. @param key i32 [4] @param stream of the random numbers of this tensor
 */
export function stochasticRounding(x: Value, key: Value, stream: number): Value {
  const nearest = rounded(x);
  const distance = sub(x, nearest);
  const reach = mul(size(nearest), scalar(nearest, TO_NEIGHBOUR));
  const toward = select(less(distance, scalar(distance, 0)), neg(reach), reach);
  const neighbour = rounded(add(nearest, toward));
  const gap = size(sub(neighbour, nearest));
  const moves = less(mul(uniform(key, x.shape, stream), gap), size(distance));
  return cast(select(moves, neighbour, nearest), 'bf16');
}
