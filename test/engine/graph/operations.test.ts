import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../main/engine/graph/differentiate.ts';
import { expand } from '../../../main/engine/graph/expand.ts';
import { allOperations, costOf, newGraph, operationOf, ShapeError } from '../../../main/engine/graph/operation.ts';
import { add, attention, input, mul, reduceSum, reshape } from '../../../main/engine/graph/ops/index.ts';
import type { AttentionOptions } from '../../../main/engine/graph/ops/index.ts';
import { isFloat } from '../../../main/engine/graph/shapes.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { derivative, directions, dot } from '../../oracles/differences.ts';
import { random, SEED } from '../../oracles/random.ts';
import { evaluator } from '../../oracles/reference.ts';
import type { Feeds } from '../../oracles/reference.ts';
import type { Case } from './cases/case.ts';
import { CASES } from './cases/index.ts';
import { CASE_STATE_DATA } from './cases/leaves.ts';

test('every registered operation has a case (catches an operation added without tests)', () => {
  const covered = new Set(CASES.map(({ op }) => op));
  expect(
    allOperations()
      .map(({ name }) => name)
      .filter((name) => !covered.has(name)),
  ).toEqual([]);
});

describe('shape rules refuse what they must', () => {
  const seen = new Set<string>();
  for (const { op, bad } of CASES) {
    if (bad === undefined || seen.has(op)) continue;
    seen.add(op);
    test(op, () => {
      for (const build of bad) expect(() => build(newGraph()), String(build)).toThrow(ShapeError);
    });
  }
});

interface Built {
  inputs: Record<string, Value>;
  outputs: readonly Value[];
  loss: Value | undefined;
  feeds: Record<string, ArrayLike<number>>;
}

/** The case's graph and a scalar: its smooth outputs against fixed random weights. */
function build(made: Case, r: ReturnType<typeof random>): Built {
  const graph = newGraph();
  const inputs: Record<string, Value> = {};
  const feeds: Record<string, ArrayLike<number>> = { s: CASE_STATE_DATA };
  for (const [name, { shape, dtype, data }] of Object.entries(made.inputs)) {
    inputs[name] = input(graph, name, shape, dtype);
    feeds[name] = data;
  }
  const outputs = made.build(inputs, graph);
  let loss: Value | undefined;
  outputs.forEach((output, i) => {
    if (!isFloat(output.dtype) || (made.differentiableOutputs !== undefined && !made.differentiableOutputs.includes(i)))
      return;
    const weight = input(graph, `weight${i}`, output.shape, 'f32');
    feeds[`weight${i}`] = r.normals(output.shape.reduce((a, b) => a * b, 1));
    const axes = output.shape.map((_, axis) => axis);
    const term = reshape(reduceSum(mul(output, weight), axes), []);
    loss = loss === undefined ? term : add(loss, term);
  });
  return { inputs, outputs, loss, feeds };
}

const withoutRule = new Set(
  allOperations()
    .filter(({ gradient, decompose }) => gradient === undefined && decompose !== undefined)
    .map(({ name }) => name),
);

describe(`gradients equal central differences in float64 (seed ${SEED})`, () => {
  CASES.forEach(({ title, make }, number) => {
    test(title, () => {
      const r = random(SEED + number);
      const made = make(r);
      const { inputs, loss, feeds } = build(made, r);
      const names = Object.keys(made.inputs).filter((name) => made.inputs[name]!.differentiable);
      if (loss === undefined || names.length === 0) return;
      const targets = names.map((name) => inputs[name]!);
      // The rule of a composite, and what follows from its decomposition, are two ways to the same numbers.
      const ways: { way: string; loss: Value; targets: Value[] }[] = [];
      const partly = expand(loss.graph, [loss, ...targets], (node) => !withoutRule.has(node.op));
      ways.push({ way: 'rules', loss: partly.map(loss), targets: targets.map(partly.map) });
      const fully = expand(loss.graph, [loss, ...targets], () => false);
      ways.push({ way: 'decomposition', loss: fully.map(loss), targets: targets.map(fully.map) });
      const f = evaluator([loss]);
      const numeric = targets.map((_, i) =>
        directions(made.inputs[names[i]!]!.data.length, r).map((direction) => {
          const base = Float64Array.from(feeds[names[i]!]!);
          const along = (t: number) => {
            const moved: Feeds = { ...feeds, [names[i]!]: base.map((x, e) => x + t * direction[e]!) };
            return f(moved)[0]![0]!;
          };
          return { direction, ...derivative(along) };
        }),
      );
      for (const { way, loss: scalar, targets: wanted } of ways) {
        const gradients = differentiate(scalar, wanted);
        const present = gradients.filter((gradient) => gradient !== undefined);
        const evaluated = evaluator(present)(feeds);
        gradients.forEach((value, i) => {
          const zeros = new Float64Array(feeds[names[i]!]!.length);
          const gradient = value === undefined ? zeros : evaluated[present.indexOf(value)]!;
          expect(gradient.length).toBe(zeros.length);
          for (const { direction, value, error } of numeric[i]!) {
            const scale = Math.abs(value) + Math.sqrt(dot(gradient, gradient)) + 1e-3;
            const projected = dot(gradient, direction);
            expect(error, `${names[i]}: the differences themselves are not good enough`).toBeLessThan(1e-4 * scale);
            expect(
              Math.abs(projected - value) / (1e-7 * scale + 20 * error),
              `${way}: ∂/∂${names[i]}: ${projected}, differences ${value} ± ${error}`,
            ).toBeLessThan(1);
          }
        });
      }
    });
  });
});

test('decompositions keep the declared types on 16-bit inputs too (catches a lost or an extra rounding)', () => {
  let tried = 0;
  CASES.forEach(({ op, make }, number) => {
    const made = make(random(SEED + number));
    const graph = newGraph();
    const values = Object.entries(made.inputs).map(([name, { shape, dtype }]) => {
      // Vectors, saved statistics, master weights and moments stay in 32 bits under every policy.
      const low =
        dtype === 'f32' &&
        shape.length >= 2 &&
        name !== 'lse' &&
        name !== 'base' &&
        (op !== 'optimizerUpdate' || name === 'g');
      return [name, input(graph, name, shape, low ? 'bf16' : dtype)] as const;
    });
    const outputs = made.build(Object.fromEntries(values), graph);
    // Throws where a decomposition makes something else than declared.
    expand(graph, outputs, () => false);
    tried++;
  });
  expect(tried).toBe(CASES.length);
});

describe('costs', () => {
  test('are positive where work is done, zero for leaves and views (catches a NaN or a missing rule)', () => {
    const r = random(SEED);
    for (const { op, make } of CASES) {
      for (const node of build(make(r), r).outputs.map((output) => output.node)) {
        const { flops, bytes } = costOf(node);
        const free = operationOf(node.op).kind === 'leaf' || operationOf(node.op).view === true;
        expect(Number.isFinite(flops) && flops >= 0, op).toBe(true);
        expect(bytes > 0, op).toBe(!free);
      }
    }
  });

  test('count a product as 2·m·n·k and causal attention as half of full attention', () => {
    const graph = newGraph();
    const a = input(graph, 'a', [2, 3, 5], 'f32');
    const b = input(graph, 'b', [2, 5, 7], 'f32');
    expect(costOf(graph.add('matmul', [a, b])[0]!.node).flops).toBe(2 * 2 * 3 * 5 * 7);
    const q = input(graph, 'q', [1, 6, 2, 4], 'f32');
    const flops = (options: AttentionOptions) => costOf(attention(q, q, q, options).node).flops;
    // 36 pairs of positions, of which 21 are causal, 6 + 5 within a window of two.
    expect(flops({ causal: true }) / flops({})).toBeCloseTo(21 / 36, 12);
    expect(flops({ causal: true, window: 2 }) / flops({})).toBeCloseTo(11 / 36, 12);
  });
});
