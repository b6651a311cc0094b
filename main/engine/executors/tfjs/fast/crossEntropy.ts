/** Output layer with cross-entropy: one product for the logits, one loop over each row. */
import type * as tf from '@tensorflow/tfjs-core';
import { crossEntropyInputs } from '../../../graph/ops/index.ts';
import type { Node } from '../../../graph/value.ts';
import { compute, elements, integers } from '../arrays.ts';
import type { Kernel } from '../primitives.ts';
import { exp, tanh } from './math.ts';
import { product } from './products.ts';

/** Where losses and hits go. */
interface Scores {
  loss: Float32Array;
  correct: Float32Array;
}

/**
 * Scores every row of logits if asked to, and with `g` turns them in place into the gradient of Σ g·loss: one exponential per element.
 */
function rows(logits: tf.Tensor, targets: tf.Tensor, node: Node, scores?: Scores, g?: tf.Tensor): void {
  const x = elements(logits);
  const wanted = integers(targets);
  const weight = g === undefined ? undefined : elements(g);
  const size = logits.shape[1]!;
  const cap = node.attrs.softcap as number;
  const capSlope = new Float64Array(cap > 0 ? size : 0);
  for (let i = 0; i < wanted.length; i++) {
    const from = i * size;
    const to = from + size;
    const target = wanted[i]!;
    if (cap > 0) {
      for (let j = 0; j < size; j++) {
        const t = tanh(x[from + j]! / cap);
        x[from + j] = cap * t;
        capSlope[j] = 1 - t * t;
      }
    }
    let best = from;
    for (let j = from; j < to; j++) if (x[j]! > x[best]!) best = j;
    const top = x[best]!;
    const own = x[from + Math.max(0, target)]!;
    let sum = 0;
    for (let j = from; j < to; j++) sum += x[j] = exp(x[j]! - top);
    if (scores !== undefined) {
      scores.loss[i] = target < 0 ? 0 : top + Math.log(sum) - own;
      scores.correct[i] = best - from === target ? 1 : 0;
    }
    if (weight === undefined) continue;
    const scale = target < 0 ? 0 : weight[i]!;
    const factor = scale / sum;
    for (let j = from; j < to; j++) x[j]! *= factor;
    if (target >= 0) x[from + target]! -= scale;
    if (cap > 0) for (let j = 0; j < size; j++) x[from + j]! *= capSlope[j]!;
  }
}

const linearCrossEntropy: Kernel = (inputs, node) => {
  const { hidden, weight, targets } = crossEntropyInputs(inputs);
  const logits = product(hidden, weight, false, true);
  const shape = node.outputs[0]!.shape;
  return compute([shape, shape], (loss, correct) => rows(logits, targets, node, { loss: loss!, correct: correct! }));
};

const linearCrossEntropyGrad: Kernel = (inputs, node) => {
  const { hidden, weight, targets, g } = crossEntropyInputs(inputs);
  const d = product(hidden, weight, false, true);
  rows(d, targets, node, undefined, g);
  return [product(d, weight), product(d, hidden, true, false)];
};

const crossEntropyWithGradient: Kernel = (inputs, node) => {
  const { hidden, weight, targets, g, base } = crossEntropyInputs(inputs);
  const d = product(hidden, weight, false, true);
  const shape = node.outputs[0]!.shape;
  const scores = compute([shape, shape], (loss, correct) =>
    rows(d, targets, node, { loss: loss!, correct: correct! }, g),
  );
  const dWeight = product(d, hidden, true, false);
  if (base === undefined) return [...scores, product(d, weight), dWeight];
  const sum = compute([dWeight.shape], (y) => {
    const a = elements(dWeight);
    const b = elements(base);
    for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
  });
  return [...scores, product(d, weight), ...sum];
};

export const CROSS_ENTROPY = {
  linearCrossEntropy,
  linearCrossEntropyGrad,
  crossEntropyWithGradient,
} satisfies Record<string, Kernel>;
