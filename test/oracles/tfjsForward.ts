/** Composites written by hand in the TensorFlow.js API, for its own automatic differentiation: an oracle that shares no code with the graph. */
import * as tf from '@tensorflow/tfjs-core';

type T = tf.Tensor;

export function layerNorm(x: T, gain: T, bias: T, eps: number): T {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, eps))), gain), bias);
}

export function rmsNorm(x: T, gain: T, eps: number): T {
  return tf.mul(tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), eps))), gain);
}

export function gelu(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1));
}

export function geluTanh(x: T): T {
  const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

export function swiglu(gate: T, value: T): T {
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), value);
}

export function softcap(x: T, cap: number): T {
  return tf.mul(tf.tanh(tf.div(x, cap)), cap);
}

/** q, k, v [batch, T, heads, size]; causal, optional soft-cap of the scores. */
export function causalAttention(q: T, k: T, v: T, cap = 0): T {
  const [, length, , size] = q.shape as [number, number, number, number];
  const [qh, kh, vh] = [q, k, v].map((x) => tf.transpose(x, [0, 2, 1, 3])) as [T, T, T];
  let scores: T = tf.div(tf.matMul(qh, kh, false, true), Math.sqrt(size));
  if (cap > 0) scores = softcap(scores, cap);
  const allowed = tf.linalg.bandPart(tf.ones([length, length]), -1, 0);
  scores = tf.add(scores, tf.mul(tf.sub(1, allowed), -1e9));
  return tf.transpose(tf.matMul(tf.softmax(scores), vh), [0, 2, 1, 3]);
}

/** Per-row loss of logits hidden·weightᵀ. */
export function crossEntropy(hidden: T, weight: T, targets: Int32Array, cap = 0): T {
  let logits: T = tf.matMul(hidden as tf.Tensor2D, weight as tf.Tensor2D, false, true);
  if (cap > 0) logits = softcap(logits, cap);
  const wanted = tf.oneHot(tf.tensor1d(targets, 'int32'), weight.shape[0]!);
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), wanted), -1));
}
