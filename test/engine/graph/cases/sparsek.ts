/** Examples of the SparseK operator, away from its kinks. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import { sparsekByDefinition } from '../../../oracles/sparsek.ts';
import { startsOf } from './attention.ts';
import { bad, f32, i32, normal } from './case.ts';
import type { OperationCase } from './case.ts';

/** The threshold where there is one: the number that stands for none would drown everything else. */
const shownThreshold = (threshold: Value): Value => ops.maximum(threshold, ops.scalar(threshold, -20));
/**
 * Scores less than 1 apart (where k of them stand 1 above all others, a whole range of thresholds does), and no thresholds near which a score
 * comes in or is cut off: there the operation has a kink, and differences say nothing of its slope.
 */
function scoresOffKinks(r: Random, k: number, length: number, starts: Int32Array | undefined): Float32Array {
  for (;;) {
    const scores = Float32Array.from(r.normals(2 * length), (x) => 0.45 * Math.tanh(x));
    const [threshold] = sparsekByDefinition(scores, length, k, starts);
    const near = scores.some((u, i) => {
      const row = i - (i % length);
      const seen = threshold.subarray(i, row + length);
      return seen.some((t) => t > -20 && Math.min(Math.abs(u - t), Math.abs(u - t - 1)) < 0.04);
    });
    if (!near) return scores;
  }
}

export const sparsekCases: OperationCase[] = [1, 3].flatMap((k): OperationCase[] =>
  [false, true].map((documents) => ({
    op: 'sparseSelect',
    title: `sparseSelect: the best ${k}${documents ? ' of each document' : ''}`,
    make: (r) => {
      const starts = documents ? startsOf(r, 2, 6) : undefined;
      return {
        inputs: {
          scores: f32([2, 6], scoresOffKinks(r, k, 6, starts)),
          ...(starts === undefined ? {} : { starts: i32([2, 6], starts) }),
        },
        build: ({ scores, starts: of }) => {
          const { threshold, expiry } = ops.sparsek(ops.cast(scores!, 'f32'), k, of);
          return [shownThreshold(threshold), expiry];
        },
      };
    },
    bad: [bad([2, 3, 4])((scores) => ops.sparsek(scores!, 1)), bad([2, 3], [2, 3])((a, b) => ops.sparsek(a!, 1, b!))],
  })),
);
export const sparsekGradCases: OperationCase[] = [false, true].map((documents) => ({
  op: 'sparseSelectGrad',
  title: `sparseSelectGrad${documents ? ' of documents' : ''}`,
  make: (r) => ({
    inputs: {
      scores: { ...normal(r, [2, 9]), differentiable: false },
      threshold: { ...normal(r, [2, 9], 0.5, -0.4), differentiable: false },
      g: { ...normal(r, [2, 9]), differentiable: false },
      ...(documents ? { starts: i32([2, 9], startsOf(r, 2, 9)) } : {}),
    },
    build: ({ scores, threshold, g, starts }, graph) => {
      const own = [scores!, threshold!, g!, ...(starts === undefined ? [] : [starts])];
      return graph.add('sparseSelectGrad', own);
    },
  }),
}));
