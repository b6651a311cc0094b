/**
 * One kernel for each primitive operation, through the TensorFlow.js API. Plainness is the goal: these are the oracle for the
 * other executors.
 *
 * 16-bit values are float32 tensors (the session rounds them after each node); i32 are int32; u8 are bool where a comparison made
 * them, else int32. Differences of the WASM backend: only untransposed, unbatched products are fast there, so operands are
 * transposed first; sums are made here in float64 where everything is summed, as its own run in one float32.
 */
import * as tf from '@tensorflow/tfjs-core';
import { fill as filled } from '@tensorflow/tfjs-core';
import { fillUniform } from '../../random/philox.ts';
import { placesOf, selectPrefixes } from '../../graph/ops/index.ts';
import { isFloat } from '../../graph/shapes.ts';
import { sizeOf } from '../../graph/value.ts';
import type { DType, Node } from '../../graph/value.ts';
import { compute, elements } from './arrays.ts';

/** Computes the outputs of a node. Runs in a tidy scope: temporaries need not be disposed of; inputs must be left alone. */
export type Kernel = (inputs: readonly tf.Tensor[], node: Node) => tf.Tensor[];

export const tensorType = (dtype: DType): 'float32' | 'int32' => (isFloat(dtype) ? 'float32' : 'int32');
const asNumber = (x: tf.Tensor) => (x.dtype === 'bool' ? tf.cast(x, 'int32') : x);
const asCondition = (x: tf.Tensor) => (x.dtype === 'bool' ? x : tf.notEqual(x, tf.scalar(0, 'int32')));

const unary =
  (f: (x: tf.Tensor) => tf.Tensor): Kernel =>
  ([x]) => [f(x!)];
const binary =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Kernel =>
  ([a, b]) => [f(asNumber(a!), asNumber(b!))];

export const PRIMITIVES: Readonly<Record<string, Kernel>> = {
  fill: (_, { outputs, attrs }) => [
    filled([...outputs[0]!.shape], attrs.value as number, tensorType(outputs[0]!.dtype)),
  ],
  iota: (_, { attrs }) => [tf.range(0, attrs.size as number, 1, 'float32')],

  neg: unary(tf.neg),
  exp: unary(tf.exp),
  log: unary(tf.log),
  tanh: unary(tf.tanh),
  sigmoid: unary(tf.sigmoid),
  erf: unary(tf.erf),
  sqrt: unary(tf.sqrt),
  rsqrt: unary(tf.rsqrt),
  relu: unary(tf.relu),
  square: unary(tf.square),
  softplus: unary(tf.softplus),
  sin: unary(tf.sin),
  cos: unary(tf.cos),

  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  greater: binary(tf.greater),
  greaterEqual: binary(tf.greaterEqual),
  less: binary(tf.less),
  equal: binary(tf.equal),
  // The kernel itself wants three equal shapes.
  select: ([condition, a, b], { outputs }) => {
    const shape = [...outputs[0]!.shape];
    const full = (x: tf.Tensor) => (tf.util.arraysEqual(x.shape, shape) ? x : tf.broadcastTo(x, shape));
    return [tf.where(full(asCondition(condition!)), full(a!), full(b!))];
  },
  cast: ([x], { inputs, outputs }) => {
    const to = outputs[0]!.dtype;
    if (to === 'u8' && isFloat(inputs[0]!.dtype)) return [tf.cast(x!, 'int32')];
    return [tf.cast(x!, tensorType(to))];
  },

  reshape: ([x], { outputs }) => [tf.reshape(x!, [...outputs[0]!.shape])],
  transpose: ([x], { attrs }) => [tf.transpose(x!, [...(attrs.order as number[])])],
  slice: ([x], { attrs, outputs }) => {
    const begin = x!.shape.map((_, axis) => (axis === attrs.axis ? (attrs.begin as number) : 0));
    return [tf.slice(x!, begin, [...outputs[0]!.shape])];
  },
  concat: (parts, { attrs }) => [tf.concat(parts.map(asNumber), attrs.axis as number)],
  broadcastTo: ([x], { outputs }) => [tf.broadcastTo(x!, [...outputs[0]!.shape])],

  reduceSum: ([x], { attrs, outputs }) => {
    const axes = attrs.axes as number[];
    if (axes.length === 0) return [tf.clone(x!)];
    if (sizeOf(outputs[0]!.shape) > 1 || tf.getBackend() === 'tensorflow') return [tf.sum(x!, [...axes], true)];
    return compute([outputs[0]!.shape], (y) => {
      let sum = 0;
      for (const element of elements(x!)) sum += element;
      y[0] = sum;
    });
  },
  reduceMax: ([x], { attrs }) => {
    const axes = attrs.axes as number[];
    return [axes.length === 0 ? tf.clone(x!) : tf.max(x!, [...axes], true)];
  },
  argMax: ([x]) => [tf.argMax(x!, -1)],

  matmul: ([a, b], { attrs }) => [matmul(a!, b!, attrs.transposeA === true, attrs.transposeB === true)],

  gather: ([table, indices]) => [tf.gather(table!, indices!)],
  scatterAdd: ([indices, updates], { outputs }) => {
    const shape = [...outputs[0]!.shape] as [number, number];
    const at = tf.reshape(indices!, [-1, 1]);
    return [tf.scatterND(at as tf.Tensor2D, tf.reshape(updates!, [-1, shape[1]]), shape)];
  },
  // The WASM kernel writes outside of its output where an index is outside, so this is done here.
  oneHot: ([indices], { attrs, outputs }) => {
    const size = attrs.size as number;
    const at = indices!.dataSync() as Int32Array;
    return compute([outputs[0]!.shape], (y) => {
      y.fill(0);
      at.forEach((column, row) => {
        if (column >= 0 && column < size) y[row * size + column] = 1;
      });
    });
  },
  expertPlaces: ([chosen], { inputs, outputs, attrs }) => {
    const found = placesOf(chosen!.dataSync(), inputs[0]!.shape[1]!, attrs.active as number);
    const parts = [found.token, found.source, found.place, found.ends];
    return parts.map((part, i) => tf.tensor(part, [...outputs[i]!.shape], 'int32'));
  },
  sparseSelect: ([scores, starts], { attrs, outputs }) => {
    const shape = [...outputs[0]!.shape] as [number, number];
    const [rows, length] = shape;
    const [z, from] = [scores!.dataSync(), starts?.dataSync()];
    const thresholds = new Float32Array(rows * length);
    const expiries = new Int32Array(rows * length);
    for (let row = 0; row < rows; row++) {
      const part = [row * length, (row + 1) * length] as const;
      const { threshold, expiry } = selectPrefixes(z.subarray(...part), attrs.k as number, from?.subarray(...part));
      thresholds.set(threshold, part[0]);
      expiries.set(expiry, part[0]);
    }
    return [tf.tensor(thresholds, shape, 'float32'), tf.tensor(expiries, shape, 'int32')];
  },
  uniform: ([key], { attrs, outputs }) => {
    const [seedLo, seedHi, step, micro] = key!.dataSync() as Int32Array;
    const data = new Float32Array(sizeOf(outputs[0]!.shape));
    fillUniform(data, { seedLo: seedLo! >>> 0, seedHi: seedHi! >>> 0 }, attrs.stream as number, step!, micro!);
    return [tf.tensor(data, [...outputs[0]!.shape], 'float32')];
  },
};

/** a·b over the last two axes. */
export function matmul(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor {
  const unbatched = sizeOf(a.shape.slice(0, -2)) === 1;
  if (tf.getBackend() !== 'wasm' || !unbatched) return tf.matMul(a, b, transposeA, transposeB);
  const flat = (x: tf.Tensor, transposed: boolean) => {
    const matrix = tf.reshape(x, x.shape.slice(-2));
    return transposed ? tf.transpose(matrix) : matrix;
  };
  const product = tf.matMul(flat(a, transposeA), flat(b, transposeB));
  return a.rank === 2 ? product : tf.reshape(product, [...a.shape.slice(0, -2), ...product.shape]);
}
