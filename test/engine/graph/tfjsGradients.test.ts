/** Forward and gradients of the main composites against TensorFlow.js's own differentiation of forwards written by hand. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { differentiate } from '../../../main/engine/graph/differentiate.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { random, SEED } from '../../oracles/random.ts';
import { evaluate } from '../../oracles/reference.ts';
import { loadTfjsGradients } from '../../oracles/tfjsGradients.ts';
import * as hand from '../../oracles/tfjsForward.ts';

const TARGETS = Int32Array.of(0, 4, 1, 2, 3, 1, 0);
const targetsOf = (x: Value) => {
  const at = ops.cast(ops.iota(x.graph, TARGETS.length), 'f32');
  const columns = [...TARGETS].map((target, i) =>
    ops.mul(ops.cast(ops.equal(at, ops.fill(x.graph, [], i)), 'f32'), ops.fill(x.graph, [], target)),
  );
  return ops.cast(
    columns.reduce((a, b) => ops.add(a, b)),
    'i32',
  );
};

interface Composite {
  title: string;
  shapes: number[][];
  graph(...x: Value[]): Value;
  tfjs(...x: tf.Tensor[]): tf.Tensor;
}

const heads = [2, 5, 3, 4];
const COMPOSITES: Composite[] = [
  {
    title: 'layer norm',
    shapes: [[3, 5, 7], [7], [7]],
    graph: (x, gain, bias) => ops.norm(x!, gain!, { kind: 'layer', eps: 1e-3, bias }),
    tfjs: (x, gain, bias) => hand.layerNorm(x!, gain!, bias!, 1e-3),
  },
  {
    title: 'RMS norm',
    shapes: [[3, 5, 7], [7]],
    graph: (x, gain) => ops.norm(x!, gain!, { kind: 'rms', eps: 1e-3 }),
    tfjs: (x, gain) => hand.rmsNorm(x!, gain!, 1e-3),
  },
  { title: 'GELU', shapes: [[5, 7]], graph: (x) => ops.activation(x!, 'gelu'), tfjs: (x) => hand.gelu(x!) },
  {
    title: 'GELU, tanh form',
    shapes: [[5, 7]],
    graph: (x) => ops.activation(x!, 'gelu_tanh'),
    tfjs: (x) => hand.geluTanh(x!),
  },
  {
    title: 'SwiGLU',
    shapes: [
      [5, 7],
      [5, 7],
    ],
    graph: (a, b) => ops.gatedActivation(a!, b!, 'silu'),
    tfjs: (a, b) => hand.swiglu(a!, b!),
  },
  {
    title: 'causal attention',
    shapes: [heads, heads, heads],
    graph: (q, k, v) => ops.attention(q!, k!, v!, { causal: true }),
    tfjs: (q, k, v) => hand.causalAttention(q!, k!, v!),
  },
  {
    title: 'causal attention with soft-cap',
    shapes: [heads, heads, heads],
    graph: (q, k, v) => ops.attention(q!, k!, v!, { causal: true, softcap: 1.2 }),
    tfjs: (q, k, v) => hand.causalAttention(q!, k!, v!, 1.2),
  },
  ...[0, 2].map((cap): Composite => ({
    title: `cross-entropy${cap > 0 ? ' with soft-cap' : ''}`,
    shapes: [
      [7, 3],
      [5, 3],
    ],
    graph: (h, w) => ops.linearCrossEntropy(h!, w!, targetsOf(h!), { softcap: cap }).loss,
    tfjs: (h, w) => hand.crossEntropy(h!, w!, TARGETS, cap),
  })),
  {
    title: 'linear layer with bias',
    shapes: [[3, 5, 4], [7, 4], [7]],
    graph: (x, w, b) => ops.linear(x!, w!, b),
    tfjs: (x, w, b) =>
      tf.add(tf.reshape(tf.matMul(tf.reshape(x!, [15, 4]), w as tf.Tensor2D, false, true), [3, 5, 7]), b!),
  },
];

beforeAll(async () => {
  await openTfjsExecutor('tfjs-cpu');
  await loadTfjsGradients();
});

describe(`composites equal TensorFlow.js and its gradients (seed ${SEED})`, () => {
  for (const { title, shapes, graph: build, tfjs } of COMPOSITES) {
    test(title, async () => {
      await tf.setBackend('cpu');
      const r = random(SEED);
      const data = shapes.map((shape) => r.normals(sizeOf(shape)));
      const graph = newGraph();
      const x = shapes.map((shape, i) => ops.input(graph, `x${i}`, shape, 'f32'));
      const y = build(...x);
      const weight = r.normals(sizeOf(y.shape));
      const weighted = ops.mul(y, ops.input(graph, 'weight', y.shape, 'f32'));
      const loss = ops.reshape(
        ops.reduceSum(
          weighted,
          y.shape.map((_, axis) => axis),
        ),
        [],
      );
      const gradients = differentiate(loss, x).map((gradient) => gradient!);
      const ours = evaluate([y, ...gradients], { weight, ...Object.fromEntries(data.map((d, i) => [`x${i}`, d])) });
      const theirs = tf.tidy(() => {
        const inputs = data.map((d, i) => tf.tensor(d, shapes[i]!));
        const dy = tf.tensor(weight, [...y.shape]);
        const f = (...v: tf.Tensor[]) => tfjs(...v);
        return [f(...inputs), ...tf.grads(f)(inputs, dy)].map((tensor) => tensor.dataSync());
      });
      ours.forEach((expected, i) => {
        const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0.1);
        expected.forEach((value, e) => {
          if (!(Math.abs(theirs[i]![e]! - value) / scale < 1e-5)) {
            expect.fail(`${i === 0 ? 'output' : `gradient ${i - 1}`}[${e}]: ${value}, TensorFlow.js ${theirs[i]![e]}`);
          }
        });
      });
    });
  }
});
