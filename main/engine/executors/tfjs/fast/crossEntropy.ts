/** Output layer with cross-entropy: one product for the logits, one loop over each row. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Node } from '../../../graph/value.ts';
import { compute, elements, integers } from '../arrays.ts';
import type { Kernel } from '../primitives.ts';
import { exp, tanh } from './math.ts';
import { product } from './products.ts';

/** Soft-caps one row of logits in place and returns its log Σ exp. */
function capped(logits: Float32Array, from: number, size: number, cap: number): number {
  if (cap > 0) for (let j = from; j < from + size; j++) logits[j] = cap * tanh(logits[j]! / cap);
  let top = -Infinity;
  for (let j = from; j < from + size; j++) if (logits[j]! > top) top = logits[j]!;
  let sum = 0;
  for (let j = from; j < from + size; j++) sum += exp(logits[j]! - top);
  return top + Math.log(sum);
}

function score(logits: tf.Tensor, targets: tf.Tensor, node: Node, loss: Float32Array, correct: Float32Array): void {
  const x = elements(logits);
  const wanted = integers(targets);
  const size = logits.shape[1]!;
  for (let i = 0; i < loss.length; i++) {
    const from = i * size;
    const total = capped(x, from, size, node.attrs.softcap as number);
    const target = wanted[i]!;
    let best = 0;
    for (let j = 1; j < size; j++) if (x[from + j]! > x[from + best]!) best = j;
    loss[i] = target < 0 ? 0 : target < size ? total - x[from + target]! : total;
    correct[i] = best === target ? 1 : 0;
  }
}

/** Turns logits into the gradient of the loss with respect to them, in place. */
function slopes(logits: tf.Tensor, targets: tf.Tensor, g: tf.Tensor, node: Node, alreadyCapped: boolean): void {
  const x = elements(logits);
  const wanted = integers(targets);
  const weight = elements(g);
  const size = logits.shape[1]!;
  const cap = node.attrs.softcap as number;
  for (let i = 0; i < wanted.length; i++) {
    const from = i * size;
    const target = wanted[i]!;
    if (target < 0) {
      x.fill(0, from, from + size);
      continue;
    }
    const total = capped(x, from, size, alreadyCapped ? 0 : cap);
    const scale = weight[i]!;
    for (let j = 0; j < size; j++) {
      const y = x[from + j]!;
      const slope = cap > 0 ? 1 - (y / cap) ** 2 : 1;
      x[from + j] = (exp(y - total) - (j === target ? 1 : 0)) * scale * slope;
    }
  }
}

const linearCrossEntropy: Kernel = ([hidden, weight, targets], node) => {
  const logits = product(hidden!, weight!, false, true);
  const shape = node.outputs[0]!.shape;
  return compute([shape, shape], (loss, correct) => score(logits, targets!, node, loss!, correct!));
};

const linearCrossEntropyGrad: Kernel = ([hidden, weight, targets, g], node) => {
  const d = product(hidden!, weight!, false, true);
  slopes(d, targets!, g!, node, false);
  return [product(d, weight!), product(d, hidden!, true, false)];
};

const crossEntropyWithGradient: Kernel = ([hidden, weight, targets, g, base], node) => {
  const d = product(hidden!, weight!, false, true);
  const shape = node.outputs[0]!.shape;
  const scores = compute([shape, shape], (loss, correct) => score(d, targets!, node, loss!, correct!));
  slopes(d, targets!, g!, node, true);
  const dWeight = product(d, hidden!, true, false);
  if (base === undefined) return [...scores, product(d, weight!), dWeight];
  const sum = compute([dWeight.shape], (y) => {
    const a = elements(dWeight);
    const b = elements(base);
    for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
  });
  return [...scores, product(d, weight!), ...sum];
};

export const CROSS_ENTROPY: Readonly<Record<string, Kernel>> = {
  linearCrossEntropy,
  linearCrossEntropyGrad,
  crossEntropyWithGradient,
};
