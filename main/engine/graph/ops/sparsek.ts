/**
 * SparseK (Lou et al. 2024): which k of the tokens so far count, by a score, as a function with a gradient. For the prefix of scores up to
 * token i the threshold is the number with Σ clip(score − threshold, 0, 1) = k, so that clip(score − threshold, 0, 1) is the projection
 * of the scores onto {0 ≤ p ≤ 1, Σp = k}. Thresholds never fall as the prefix grows: what is dropped never returns.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Value } from '../value.ts';
import { both } from './attentionParts.ts';
import { cast, div, greater, greaterEqual, less, maximum, mul, scalar, sub } from './elementwise.ts';
import { iota } from './leaves.ts';
import { reshape } from './movement.ts';
import { reduceSum } from './reduce.ts';

/** Threshold of a prefix of no more than k scores: below all of them by more than 1. */
export const NO_THRESHOLD = -1e30;

/** Scores that still count, the largest first and of equals the earlier one. */
class Ranked {
  readonly scores: number[] = [];
  readonly positions: number[] = [];

  /** Its rank, from 0. */
  insert(score: number, position: number): number {
    let [low, high] = [0, this.scores.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.scores[middle]! >= score) low = middle + 1;
      else high = middle;
    }
    this.scores.splice(low, 0, score);
    this.positions.splice(low, 0, position);
    return low;
  }

  /** Goes down the points where Σ clip(score − x, 0, 1) bends, each score and each score − 1, until the sum is k. */
  threshold(k: number): number {
    const { scores } = this;
    let [entered, whole, sum] = [0, 0, 0];
    for (;;) {
      const enters = entered < scores.length && scores[entered]! >= scores[whole]! - 1;
      const x = enters ? scores[entered]! : scores[whole]! - 1;
      const between = entered - whole;
      if (between > 0 && sum - between * x + whole >= k) return (sum + whole - k) / between;
      if (enters) sum += scores[entered++]!;
      else sum -= scores[whole++]!;
      // Only rounding leads here.
      if (whole === scores.length) return x;
    }
  }

  /** Forgets what is not above the threshold, but never one of the k best. */
  forget(threshold: number, k: number): void {
    while (this.scores.length > k && this.scores.at(-1)! <= threshold) {
      this.scores.pop();
      this.positions.pop();
    }
  }
}

/**
 * Of one sequence, token by token: the threshold of the scores up to it (from starts[i] on, when given), and the first position at which it is no
 * longer among the k largest, scores.length where that never happens.
 */
export function selectPrefixes(
  scores: ArrayLike<number>,
  k: number,
  starts?: ArrayLike<number>,
): { threshold: Float64Array; expiry: Int32Array } {
  const length = scores.length;
  const threshold = new Float64Array(length).fill(NO_THRESHOLD);
  const expiry = new Int32Array(length).fill(length);
  let ranked = new Ranked();
  let first = 0;
  for (let i = 0; i < length; i++) {
    if (starts !== undefined && i > 0 && starts[i] !== starts[i - 1]) {
      ranked = new Ranked();
      first = i;
    }
    if (ranked.insert(scores[i]!, i) >= k) expiry[i] = i;
    else if (ranked.positions.length > k) expiry[ranked.positions[k]!] = i;
    if (i + 1 - first <= k) continue;
    threshold[i] = ranked.threshold(k);
    ranked.forget(threshold[i]!, k);
  }
  return { threshold, expiry };
}

defineOperation({
  name: 'sparseSelect',
  kind: 'primitive',
  infer: ([scores, starts]) => {
    requireShape(
      scores!.shape.length === 2 && scores!.dtype === 'f32',
      'sparseSelect',
      'scores must be f32 [batch, T]',
      scores!,
    );
    if (starts)
      requireShape(
        starts.dtype === 'i32' && sameShape(starts.shape, scores!.shape),
        'sparseSelect',
        'starts must be i32 [batch, T]',
        starts,
      );
    return [
      { shape: scores!.shape, dtype: 'f32' },
      { shape: scores!.shape, dtype: 'i32' },
    ];
  },
  gradient: ({ inputs, outputs }, [g]) => {
    const [scores, starts] = inputs as [Value, Value | undefined];
    if (g === undefined) return inputs.map(() => undefined);
    const own = [scores, outputs[0]!, g, ...(starts === undefined ? [] : [starts])];
    return [g.graph.add('sparseSelectGrad', own)[0], ...(starts === undefined ? [] : [undefined])];
  },
  // About k candidates are looked at for every token.
  flops: ({ inputs, attrs }) => 4 * sizeOf(inputs[0]!.shape) * Math.min(inputs[0]!.shape[1]!, 2 * (attrs.k as number)),
});

/** A threshold is the mean of the scores strictly between it and it + 1, up to constants: each has the same share of its gradient. */
defineOperation({
  name: 'sparseSelectGrad',
  kind: 'composite',
  infer: ([scores]) => [{ shape: scores!.shape, dtype: 'f32' }],
  decompose: (inputs) => {
    const [scores, threshold, g, starts] = inputs as [Value, Value, Value, Value | undefined];
    const [batch, length] = scores.shape as [number, number];
    const row = (x: Value) => reshape(x, [batch, length, 1]);
    const position = iota(scores.graph, length);
    const [i, j] = [reshape(position, [1, length, 1]), reshape(position, [1, 1, length])];
    const above = sub(reshape(scores, [batch, 1, length]), row(threshold));
    let inside = both(greater(above, scalar(above, 0)), less(above, scalar(above, 1)));
    inside = both(inside, greaterEqual(i, j));
    if (starts !== undefined) inside = both(inside, greaterEqual(j, row(cast(starts, 'f32'))));
    const counted = cast(inside, 'f32');
    const count = maximum(reduceSum(counted, [2]), scalar(above, 1));
    return [reshape(reduceSum(mul(counted, div(row(g), count)), [1]), [batch, length])];
  },
  flops: ({ inputs }) => 3 * sizeOf(inputs[0]!.shape) * inputs[0]!.shape[1]!,
});

/** Thresholds (f32) and ends of selection (i32) of scores f32 [batch, T]; `starts`, i32 [batch, T], begins anew where it changes. */
export function sparsek(scores: Value, k: number, starts?: Value): { threshold: Value; expiry: Value } {
  const [threshold, expiry] = scores.graph.add('sparseSelect', starts === undefined ? [scores] : [scores, starts], {
    k,
  });
  return { threshold: threshold!, expiry: expiry! };
}
