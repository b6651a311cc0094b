/** Leaves: what enters a program from outside, and constants. */
import { defineOperation } from '../operation.ts';
import type { DType, Graph, Shape, Value } from '../value.ts';

defineOperation({
  name: 'input',
  kind: 'leaf',
  infer: (_, attrs) => [{ shape: attrs.shape as Shape, dtype: attrs.dtype as DType }],
});
defineOperation({
  name: 'state',
  kind: 'leaf',
  infer: (_, attrs) => [{ shape: attrs.shape as Shape, dtype: attrs.dtype as DType }],
});
defineOperation({
  name: 'fill',
  kind: 'primitive',
  infer: (_, attrs) => [{ shape: attrs.shape as Shape, dtype: attrs.dtype as DType }],
  gradient: () => [],
});
defineOperation({
  name: 'iota',
  kind: 'primitive',
  infer: (_, attrs) => [{ shape: [attrs.size as number], dtype: 'f32' }],
  gradient: () => [],
});

/** A per-run input: batches, learning rate, random key. */
export function input(graph: Graph, name: string, shape: Shape, dtype: DType): Value {
  return graph.add('input', [], { name, shape, dtype })[0]!;
}

/** Persistent state (a parameter, its gradient, an optimizer moment), read as it was before the program ran. */
export function state(graph: Graph, name: string, shape: Shape, dtype: DType): Value {
  return graph.add('state', [], { name, shape, dtype })[0]!;
}

/** An array with every element equal to `value`. @throws TypeError for what is no number: a missing constant must not become 0 */
export function fill(graph: Graph, shape: Shape, value: number, dtype: DType = 'f32'): Value {
  if (typeof value !== 'number') throw new TypeError(`a constant of the graph is ${String(value)}, not a number`);
  return graph.add('fill', [], { shape, value, dtype })[0]!;
}

/** f32 [size]: 0, 1, 2, … (exact up to 2^24). */
export function iota(graph: Graph, size: number): Value {
  return graph.add('iota', [], { size })[0]!;
}
