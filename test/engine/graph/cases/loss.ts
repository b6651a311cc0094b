/** Examples of the output layer with cross-entropy. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import { floats, i32, integers, normal } from './case.ts';
import type { OperationCase } from './case.ts';

export const lossCases: OperationCase[] = [0, 3].flatMap((softcap): OperationCase[] => {
  const make = (r: Random) => {
    const targets = r.integers(7, 0, 4);
    targets[2] = -1;
    return { hidden: normal(r, [7, 3], 2), weight: normal(r, [5, 3]), targets: i32([7], targets) };
  };
  const name = softcap > 0 ? ' with soft-cap' : '';
  return [
    {
      op: 'linearCrossEntropy',
      title: `linearCrossEntropy${name}`,
      make: (r) => ({
        inputs: make(r),
        build: ({ hidden, weight, targets }) => {
          const { loss, correct } = ops.linearCrossEntropy(hidden!, weight!, targets!, { softcap });
          return [loss, correct];
        },
        differentiableOutputs: [0],
      }),
      bad: [
        (g) => ops.linearCrossEntropy(...(floats(g, [7, 3], [5, 4]) as [Value, Value]), integers(g, [7])),
        (g) => ops.linearCrossEntropy(...(floats(g, [7, 3], [5, 3]) as [Value, Value]), integers(g, [6])),
      ],
    },
    {
      op: 'linearCrossEntropyGrad',
      title: `linearCrossEntropyGrad${name}`,
      make: (r) => ({
        inputs: { ...make(r), g: normal(r, [7]) },
        build: ({ hidden, weight, targets, g }, graph) =>
          graph.add('linearCrossEntropyGrad', [hidden!, weight!, targets!, g!], {
            softcap,
            outHidden: 'f32',
          }),
      }),
    },
  ];
});
