/** Examples of routing tokens to experts and of their products. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Random } from '../../../oracles/random.ts';
import { bad, f32, floats, i32, integers, normal, odd } from './case.ts';
import type { OperationCase } from './case.ts';

/** Choices of `active` experts for each token, one of which may get none; and tokens that chose too few or too many. */
function choicesOf(r: Random, tokens: number, experts: number, active: number): Float32Array {
  const chosen = new Float32Array(tokens * experts);
  for (let t = 0; t < tokens; t++) {
    // The second expert is never chosen where there are enough others.
    const open = Array.from({ length: experts }, (_, e) => e).filter((e) => e !== 1 || experts <= active);
    for (let i = 0; i < active; i++) chosen[t * experts + open.splice(r.integer(0, open.length - 1), 1)[0]!] = 1;
  }
  return chosen;
}
/** Ends of groups of so many rows: one is empty, and a few rows belong to none. */
function endsOf(r: Random, rows: number, groups: number): Int32Array {
  const cuts = r.integers(groups, 0, rows).sort();
  if (groups > 1) cuts[1] = cuts[0]!;
  return cuts;
}
export const expertCases: OperationCase[] = [
  ...[
    [5, 2],
    [1, 1],
    [3, 3],
  ].map(([experts, active]): OperationCase => ({
    op: 'expertPlaces',
    title: `expertPlaces: ${active} of ${experts}`,
    make: (r) => ({
      inputs: { chosen: { ...f32([7, experts!], choicesOf(r, 7, experts!, active!)), differentiable: false } },
      build: ({ chosen }) => Object.values(ops.expertPlaces(ops.cast(chosen!, 'f32'), active!)),
    }),
    bad: [
      bad([3, 2])((x) => ops.expertPlaces(x!, 3)),
      bad([3])((x) => ops.expertPlaces(x!, 1)),
      (graph) => ops.expertPlaces(integers(graph, [3, 2]), 1),
    ],
  })),
  {
    op: 'expertPlaces',
    title: 'expertPlaces: rows without a choice, and with more than count',
    make: () => ({
      inputs: {
        chosen: { ...f32([3, 4], Float32Array.of(0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0)), differentiable: false },
      },
      build: ({ chosen }) => Object.values(ops.expertPlaces(ops.cast(chosen!, 'f32'), 2)),
    }),
  },
  {
    op: 'gatherSum',
    title: 'gatherSum',
    make: (r) => ({
      inputs: { table: normal(r, [5, 9]), index: i32([12], r.integers(12, 0, 4)) },
      build: ({ table, index }) => [ops.gatherSum(table!, index!, 3)],
    }),
    bad: [(graph) => ops.gatherSum(floats(graph, [3, 2])[0]!, integers(graph, [5]), 2)],
  },
  ...(['toPlaces', 'fromPlaces'] as const).map((op): OperationCase => ({
    op,
    title: op,
    make: (r) => ({
      inputs: {
        x: normal(r, [op === 'toPlaces' ? 7 : 14, 5]),
        chosen: { ...f32([7, 4], choicesOf(r, 7, 4, 2)), differentiable: false },
      },
      build: ({ x, chosen }) => {
        const places = ops.expertPlaces(ops.cast(chosen!, 'f32'), 2);
        return [op === 'toPlaces' ? ops.toPlaces(x!, places) : ops.fromPlaces(x!, places, 7)];
      },
    }),
    bad: [
      (graph) => {
        const [x, chosen] = floats(graph, [4, 3], [2, 3]);
        const places = ops.expertPlaces(chosen!, 2);
        return op === 'toPlaces'
          ? ops.toPlaces(ops.reshape(x!, [12]), places)
          : ops.fromPlaces(ops.reshape(x!, [6, 2]), places, 2);
      },
    ],
  })),
  ...[false, true].map((transposed): OperationCase => ({
    op: 'groupedMatmul',
    title: `groupedMatmul${transposed ? ', transposed' : ''}`,
    make: (r) => {
      const [rows, groups, k, n] = [11, r.pick([1, 3, 5]), odd(r), odd(r)];
      return {
        inputs: {
          x: normal(r, [rows, k]),
          w: normal(r, transposed ? [groups, n, k] : [groups, k, n]),
          ends: i32([groups], endsOf(r, rows, groups)),
        },
        build: ({ x, w, ends }) => [ops.groupedMatmul(x!, w!, ends!, { transposed })],
      };
    },
    bad: [
      (graph) => {
        const [x, w] = floats(graph, [4, 3], [2, 5, 5]);
        return ops.groupedMatmul(x!, w!, integers(graph, [2]), { transposed });
      },
      (graph) => {
        const [x, w] = floats(graph, [4, 3], [2, 3, 3]);
        return ops.groupedMatmul(x!, w!, integers(graph, [3]), { transposed });
      },
    ],
  })),
  {
    op: 'groupedOuter',
    title: 'groupedOuter',
    make: (r) => {
      const groups = r.pick([1, 3, 5]);
      return {
        inputs: { x: normal(r, [11, odd(r)]), y: normal(r, [11, odd(r)]), ends: i32([groups], endsOf(r, 11, groups)) },
        build: ({ x, y, ends }) => [ops.groupedOuter(x!, y!, ends!)],
      };
    },
    bad: [
      (graph) => {
        const [x, y] = floats(graph, [4, 3], [5, 3]);
        return ops.groupedOuter(x!, y!, integers(graph, [2]));
      },
    ],
  },
];
