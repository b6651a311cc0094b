import { describe, expect, test } from 'vitest';
import { openTfjsExecutor } from '../../../../main/engine/executors/tfjs/index.ts';
import type { TypedArray } from '../../../../main/engine/executors/executor.ts';
import { differentiate } from '../../../../main/engine/graph/differentiate.ts';
import { expand, reachable } from '../../../../main/engine/graph/expand.ts';
import { newGraph, operationOf } from '../../../../main/engine/graph/operation.ts';
import { add, input, mul, reduceSum, reshape } from '../../../../main/engine/graph/ops/index.ts';
import { program } from '../../../../main/engine/graph/program.ts';
import { isFloat } from '../../../../main/engine/graph/shapes.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { evaluate } from '../../../oracles/reference.ts';
import { CASES } from '../../graph/cases/index.ts';
import { CASE_STATE, CASE_STATE_DATA } from '../../graph/cases/leaves.ts';

const WAYS = [
  { kind: 'tfjs-cpu', plain: true },
  { kind: 'tfjs-cpu', plain: false },
  { kind: 'tfjs-wasm', plain: true },
  { kind: 'tfjs-wasm', plain: false },
] as const;

/** Every case, with the gradient of a weighted sum of its outputs, against the float64 interpreter. */
for (const { kind, plain } of WAYS) {
  describe(`${kind}${plain ? ', plain' : ''}: every operation and its gradient equal float64 (seed ${SEED})`, async () => {
    const executor = await openTfjsExecutor(kind, { plain });
    CASES.forEach(({ title, make }, number) => {
      test(title, async () => {
        const r = random(SEED + number);
        const made = make(r);
        let graph = newGraph();
        const feeds: Record<string, TypedArray> = {};
        const inputs: Record<string, Value> = {};
        for (const [name, { shape, dtype, data }] of Object.entries(made.inputs)) {
          inputs[name] = input(graph, name, shape, dtype);
          feeds[name] = data;
        }
        const outputs = made.build(inputs, graph);
        let loss: Value | undefined;
        outputs.forEach((output, i) => {
          if (!isFloat(output.dtype) || made.differentiableOutputs?.includes(i) === false) return;
          const weight = input(graph, `weight${i}`, output.shape, 'f32');
          feeds[`weight${i}`] = r.normals(sizeOf(output.shape));
          const axes = output.shape.map((_, axis) => axis);
          const term = reshape(reduceSum(mul(output, weight), axes), []);
          loss = loss === undefined ? term : add(loss, term);
        });
        const targets = Object.keys(made.inputs).filter((name) => made.inputs[name]!.differentiable);
        const named: Record<string, Value> = Object.fromEntries(outputs.map((output, i) => [`output ${i}`, output]));
        if (loss !== undefined && targets.length > 0) {
          const withRules = expand(graph, [...outputs, loss, ...targets.map((name) => inputs[name]!)], (node) => {
            return operationOf(node.op).gradient !== undefined;
          });
          graph = withRules.graph;
          outputs.forEach((output, i) => (named[`output ${i}`] = withRules.map(output)));
          // The forward operation itself is run too, not only its decomposition.
          const gradients = differentiate(
            withRules.map(loss),
            targets.map((name) => withRules.map(inputs[name]!)),
          );
          gradients.forEach((gradient, i) => {
            if (gradient !== undefined) named[`gradient of ${targets[i]}`] = gradient;
          });
        }
        const direct = outputs[0]!.graph;
        const programs = [
          program(title, graph, named),
          program(title, direct, Object.fromEntries(outputs.map((output, i) => [`output ${i}`, output]))),
        ];
        const session = executor.open([CASE_STATE]);
        try {
          session.write('s', CASE_STATE_DATA);
          for (const source of programs) {
            const actual = await session.run(session.load(source), feeds);
            const wanted = [...source.outputs];
            const expected = evaluate(
              wanted.map(([, value]) => value),
              { ...feeds, s: CASE_STATE_DATA },
            );
            wanted.forEach(([name, value], i) => {
              const data = actual[name]!;
              expect(data.constructor.name).toBe(
                { i32: 'Int32Array', u8: 'Uint8Array' }[value.dtype as string] ?? 'Float32Array',
              );
              expect(data.length).toBe(expected[i]!.length);
              // Relative to the array's own size, with room for rows of small variance and differences of numbers near 1 (a few times 2⁻²⁴); single numbers are often sums that cancel. 16-bit roundings cost 2⁻⁹ each.
              const single = expected[i]!.length === 1;
              const scale = expected[i]!.reduce(
                (most, x) => Math.max(most, Math.abs(x) < 1e29 ? Math.abs(x) : 0),
                single ? 1 : 5e-2,
              );
              const tolerance = roundsInside(value) ? 1e-2 : single ? 1e-4 : 2e-5;
              const worst = expected[i]!.reduce((most, x, e) => {
                const error = Math.abs(data[e]! - x);
                return Math.max(most, Number.isNaN(error) ? Infinity : error / Math.max(scale, Math.abs(x)));
              }, 0);
              expect(worst, name).toBeLessThan(tolerance);
            });
          }
        } finally {
          session.dispose();
        }
      });
    });
  });
}

/** Whether a 16-bit value is on the way to this one. */
function roundsInside(value: Value): boolean {
  const inside = reachable([value]);
  return value.graph.nodes.some(
    (node) => inside.has(node) && node.outputs.some(({ dtype }) => dtype === 'bf16' || dtype === 'f16'),
  );
}
