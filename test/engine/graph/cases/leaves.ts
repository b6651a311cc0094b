/** Examples of what has no inputs, and the state that one of them reads. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { normal } from './case.ts';
import type { OperationCase } from './case.ts';

export const leafCases: OperationCase[] = [
  { op: 'input', title: 'input', make: (r) => ({ inputs: { x: normal(r, [3, 5]) }, build: ({ x }) => [x!] }) },
  {
    op: 'state',
    title: 'state',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5]) },
      build: ({ x }, graph) => [ops.mul(x!, ops.state(graph, 's', [3, 5], 'f32'))],
    }),
  },
  {
    op: 'fill',
    title: 'fill',
    make: () => ({
      inputs: {},
      build: (_, graph) => [
        ops.fill(graph, [3, 5], 1.5),
        ops.fill(graph, [], -2, 'i32'),
        ops.fill(graph, [2000], 0.1, 'bf16'),
      ],
    }),
  },
  { op: 'iota', title: 'iota', make: () => ({ inputs: {}, build: (_, graph) => [ops.iota(graph, 17)] }) },
];

/** The state `s` that the case of operation `state` reads. */
export const CASE_STATE = { name: 's', shape: [3, 5], dtype: 'f32', category: 'parameters', scope: '' } as const;
export const CASE_STATE_DATA = Float32Array.from({ length: 15 }, (_, i) => i / 4 - 1);
