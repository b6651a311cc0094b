import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../main/engine/graph/differentiate.ts';
import { expand } from '../../../main/engine/graph/expand.ts';
import { defineOperation, newGraph } from '../../../main/engine/graph/operation.ts';
import {
  add,
  gather,
  globalNorm,
  input,
  linear,
  mul,
  reduceSum,
  reshape,
  square,
  state,
  tanh,
} from '../../../main/engine/graph/ops/index.ts';
import { evaluate } from '../../oracles/reference.ts';

const graphWith = (...shapes: number[][]) => {
  const graph = newGraph();
  return { graph, x: shapes.map((shape, i) => input(graph, `x${i}`, shape, 'f32')) };
};

describe('differentiate', () => {
  test('adds up all uses of a value: y = x·x + x (catches a use that overwrites another)', () => {
    const { x } = graphWith([]);
    const [dx] = differentiate(add(mul(x[0]!, x[0]!), x[0]!), [x[0]!]);
    expect(evaluate([dx!], { x0: [3] })[0]![0]).toBe(7);
  });

  test('goes through a shared subexpression once per use: z = s² + 2s with s = tanh x', () => {
    const { x } = graphWith([]);
    const s = tanh(x[0]!);
    const [dx] = differentiate(add(square(s), add(s, s)), [x[0]!]);
    const y = Math.tanh(0.4);
    expect(evaluate([dx!], { x0: [0.4] })[0]![0]).toBeCloseTo((2 * y + 2) * (1 - y * y), 12);
  });

  test('adds look-up and output gradients of tied weights', () => {
    const graph = newGraph();
    const w = state(graph, 'w', [3, 2], 'f32');
    const tokens = input(graph, 'tokens', [2], 'i32');
    const logits = linear(gather(w, tokens), w);
    const [dw] = differentiate(reshape(reduceSum(logits, [0, 1]), []), [w]);
    // loss = Σ_t Σ_v w[t]·w[v]; d/dw[i] = count(i)·Σ_v w[v] + Σ_t w[t]
    const data = [1, 2, 3, 4, 5, 6];
    const feeds = { w: data, tokens: [2, 2] };
    const [all, looked] = [
      [9, 12],
      [10, 12],
    ];
    const expected = [0, 0, 2].flatMap((count) => [count * all![0]! + looked![0]!, count * all![1]! + looked![1]!]);
    expect(Array.from(evaluate([dw!], feeds)[0]!)).toEqual(expected);
    expect(dw!.dtype).toBe('f32');
  });

  test('refuses a gradient that is not its input, broadcast (catches a transposed gradient, which has as many elements)', () => {
    defineOperation({
      name: 'transposedByMistake',
      kind: 'primitive',
      infer: ([x]) => [{ shape: [...x!.shape].reverse(), dtype: x!.dtype }],
      gradient: (_, [g]) => [g],
    });
    const { graph, x } = graphWith([3, 5]);
    const [y] = graph.add('transposedByMistake', [x[0]!]);
    expect(() => differentiate(reshape(reduceSum(y!, [0, 1]), []), [x[0]!])).toThrow(/transposedByMistake/);
  });

  test('sums a gradient over broadcast axes once, whatever its uses: y = Σ (x + b)·b', () => {
    const { x } = graphWith([2, 3], [3]);
    const [a, b] = x as [(typeof x)[0] & object, (typeof x)[0] & object];
    const [da, db] = differentiate(reshape(reduceSum(mul(add(a, b), b), [0, 1]), []), [a, b]);
    const feeds = { x0: [1, 2, 3, 4, 5, 6], x1: [7, 8, 9] };
    expect(Array.from(evaluate([da!], feeds)[0]!)).toEqual([7, 8, 9, 7, 8, 9]);
    // Σ over the two rows of x + 2b.
    expect(Array.from(evaluate([db!], feeds)[0]!)).toEqual([1 + 4 + 28, 2 + 5 + 32, 3 + 6 + 36]);
  });

  test('gives nothing where there is no path, and 1 for the loss itself', () => {
    const { x } = graphWith([], []);
    const [a, b] = x as [(typeof x)[0] & object, (typeof x)[0] & object];
    const loss = square(a);
    const [da, db, self] = differentiate(loss, [a, b, loss]);
    expect(db).toBeUndefined();
    expect(evaluate([da!, self!], { x0: [3] }).map((g) => g[0])).toEqual([6, 1]);
  });

  test('refuses a loss of several numbers', () => {
    const { x } = graphWith([2]);
    expect(() => differentiate(square(x[0]!), [x[0]!])).toThrow(/one number/);
  });

  test('names a composite without a gradient rule, and works once it is decomposed', () => {
    const { x } = graphWith([3]);
    const loss = globalNorm([x[0]!]);
    expect(() => differentiate(loss, [x[0]!])).toThrow(/globalNorm has no gradient rule/);
    const plain = expand(loss.graph, [loss, x[0]!], () => false);
    const [dx] = differentiate(plain.map(loss), [plain.map(x[0]!)]);
    expect(Array.from(evaluate([dx!], { x0: [2, 3, 6] })[0]!)).toEqual([2 / 7, 3 / 7, 6 / 7]);
  });

  test('labels what it adds as backward, under the scope of what it differentiates', () => {
    const graph = newGraph();
    const x = graph.within('block', () => input(graph, 'x', [], 'f32'));
    const y = graph.within('block', () => tanh(x));
    const before = graph.nodes.length;
    differentiate(y, [x]);
    const added = graph.nodes.slice(before);
    expect(added.every(({ phase }) => phase === 'backward')).toBe(true);
    expect(added.slice(1).every(({ scope }) => scope === 'block')).toBe(true);
  });

  test('calls back when a gradient is complete, after its last contribution', () => {
    const { x } = graphWith([], []);
    const [a, b] = [x[0]!, x[1]!];
    const seen: number[] = [];
    const grads = differentiate(mul(mul(a, b), a), [a, b], (target, gradient) => {
      seen.push(target.id);
      expect(gradient.graph.nodes.length - 1 >= gradient.node.id).toBe(true);
    });
    expect(seen.toSorted()).toEqual([a.id, b.id].toSorted());
    expect(
      evaluate(
        grads.map((g) => g!),
        { x0: [3], x1: [5] },
      ).map((g) => g[0]),
    ).toEqual([30, 9]);
  });
});
