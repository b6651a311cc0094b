/** Examples of look-ups, random numbers and rotary positions. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { bad, floats, i32, integers, key, normal } from './case.ts';
import type { OperationCase } from './case.ts';

export const indexingCases: OperationCase[] = [
  {
    op: 'gather',
    title: 'gather with repeats',
    make: (r) => ({
      inputs: { table: normal(r, [7, 5]), at: i32([3, 5], r.integers(15, 0, 6)) },
      build: ({ table, at }) => [ops.gather(table!, at!)],
    }),
    bad: [
      bad([7, 5], [3])((table, at) => ops.gather(table!, at!)),
      (g) => ops.gather(floats(g, [7])[0]!, integers(g, [3])),
    ],
  },
  {
    op: 'scatterAdd',
    title: 'scatterAdd with repeats',
    make: (r) => ({
      inputs: { at: i32([3, 5], r.integers(15, 0, 6)), updates: normal(r, [3, 5, 3]) },
      build: ({ at, updates }) => [ops.scatterAdd(at!, updates!, 9)],
    }),
    bad: [(g) => ops.scatterAdd(integers(g, [3]), floats(g, [4, 2])[0]!, 5)],
  },
  {
    op: 'oneHot',
    title: 'oneHot with indices outside',
    make: (r) => ({ inputs: { at: i32([3, 5], r.integers(15, -2, 8)) }, build: ({ at }) => [ops.oneHot(at!, 7)] }),
    bad: [bad([3])((x) => ops.oneHot(x!, 5))],
  },
];

export const randomCases: OperationCase[] = [
  {
    op: 'uniform',
    title: 'uniform',
    make: (r) => ({ inputs: { key: key(r) }, build: ({ key: k }) => [ops.uniform(k!, [3, 7, 5], 11)] }),
    bad: [bad([4])((x) => ops.uniform(x!, [2], 0)), (g) => ops.uniform(integers(g, [3]), [2], 0)],
  },
  {
    op: 'dropout',
    title: 'dropout',
    make: (r) => ({
      inputs: { x: normal(r, [5, 7]), key: key(r) },
      build: ({ x, key: k }) => [ops.dropout(x!, k!, 0.3, 2)],
    }),
    bad: [bad([4], [4])((x, k) => ops.dropout(x!, k!, 0.5, 0))],
  },
];

export const rotaryCases: OperationCase[] = [false, true].map((inverse) => ({
  op: 'rotary',
  title: `rotary${inverse ? ' inverse' : ''}`,
  make: (r) => ({
    inputs: { x: normal(r, [2, 7, 3, r.pick([2, 4, 6])]) },
    build: ({ x }, graph) => graph.add('rotary', [x!], { base: 10000, inverse }),
  }),
  bad: [bad([2, 7, 3, 5])((x) => ops.rotary(x!, 10000)), bad([2, 7, 4])((x) => ops.rotary(x!, 10000))],
}));
