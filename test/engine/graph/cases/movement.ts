/** Examples of operations that move values: shapes, slices, casts. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { bad, bits, i32, normal, odd, shapeOf } from './case.ts';
import type { OperationCase } from './case.ts';

export const movementCases: OperationCase[] = [
  {
    op: 'reshape',
    title: 'reshape',
    make: (r) => {
      const [a, b, c] = shapeOf(r, 3) as [number, number, number];
      return { inputs: { x: normal(r, [a, b, c]) }, build: ({ x }) => [ops.reshape(ops.neg(x!), [a * b, -1])] };
    },
    bad: [bad([2, 3])((x) => ops.reshape(x!, [4, 2])), bad([2, 3])((x) => ops.reshape(x!, [4, -1]))],
  },
  {
    op: 'transpose',
    title: 'transpose',
    make: (r) => {
      const rank = r.integer(2, 4);
      const order = Array.from({ length: rank }, (_, i) => i).sort(() => r() - 0.5);
      return { inputs: { x: normal(r, shapeOf(r, rank)) }, build: ({ x }) => [ops.transpose(x!, order)] };
    },
    bad: [bad([2, 3])((x) => ops.transpose(x!, [1, 1])), bad([2, 3])((x) => ops.transpose(x!, [1]))],
  },
  {
    op: 'slice',
    title: 'slice',
    make: (r) => {
      const shape = shapeOf(r, 3);
      const axis = r.integer(0, 2);
      const begin = r.integer(0, shape[axis]! - 1);
      const size = r.integer(1, shape[axis]! - begin);
      return { inputs: { x: normal(r, shape) }, build: ({ x }) => [ops.slice(x!, axis, begin, size)] };
    },
    bad: [bad([2, 3])((x) => ops.slice(x!, 1, 2, 2)), bad([2, 3])((x) => ops.slice(x!, 2, 0, 1))],
  },
  {
    op: 'concat',
    title: 'concat',
    make: (r) => {
      const shape = shapeOf(r, 3);
      const axis = r.integer(0, 2);
      const other = shape.map((d, i) => (i === axis ? odd(r) : d));
      return {
        inputs: { x: normal(r, shape), y: normal(r, other), z: normal(r, shape) },
        build: ({ x, y, z }) => [ops.concat([x!, y!, z!], axis)],
      };
    },
    bad: [bad([2, 3], [3, 3])((x, y) => ops.concat([x!, y!], 1)), bad([], [])((x, y) => ops.concat([x!, y!], 0))],
  },
  {
    op: 'broadcastTo',
    title: 'broadcastTo',
    make: (r) => {
      const full = shapeOf(r, 3);
      const thin = full.map((d) => (r() < 0.5 ? 1 : d)).slice(r.integer(0, 1));
      return { inputs: { x: normal(r, thin) }, build: ({ x }) => [ops.broadcastTo(x!, full)] };
    },
    bad: [bad([2, 3])((x) => ops.broadcastTo(x!, [2, 4])), bad([2, 3])((x) => ops.broadcastTo(x!, [3]))],
  },
  {
    op: 'select',
    title: 'select, broadcasting all three',
    make: (r) => ({
      inputs: { c: bits(r, [3, 1, 5]), a: normal(r, [1, 3, 5]), b: normal(r, [3, 3, 1]) },
      build: ({ c, a, b }) => [ops.select(c!, a!, b!)],
    }),
    bad: [bad([2], [2], [2])((c, a, b) => ops.select(c!, a!, b!))],
  },
  {
    op: 'cast',
    title: 'cast between widths and kinds',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5], 3), n: i32([5], r.integers(5, -9, 9)), m: bits(r, [7]) },
      build: ({ x, n, m }) => [
        ops.cast(ops.cast(x!, 'bf16'), 'f32'),
        ops.cast(ops.cast(x!, 'f16'), 'f32'),
        ops.cast(n!, 'f32'),
        ops.cast(m!, 'f32'),
        ops.cast(x!, 'i32'),
        ops.cast(m!, 'i32'),
      ],
    }),
  },
];
