/**
 * Attention head by head: the arrays are laid out once as one matrix per head, products run on those matrices, and one loop per row does
 * soft-cap, distance bias, mask, soft-max and dropout. Follows the formulas and the order of graph/ops/attention.ts.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { attentionDimensions, attentionGradInputs, attentionInputs } from '../../../graph/ops/index.ts';
import type { Node } from '../../../graph/value.ts';
import { fillUniform } from '../../../random/philox.ts';
import { compute, elements, integers } from '../arrays.ts';
import type { Kernel } from '../primitives.ts';
import { exp, tanh } from './math.ts';
import { multiplyParts } from './products.ts';
import type { Part } from './products.ts';

const VERY_NEGATIVE = -1e30;
const TINY = 1e-30;

interface Options {
  scale: number;
  causal: boolean;
  window: number;
  softcap: number;
  rate: number;
  stream: number;
}

/** [batch, T, heads, D] → one [T, D] matrix per (batch, head), or [D, T] when `across`; times `factor`. */
function byHead(x: tf.Tensor, across: boolean, factor = 1): tf.Tensor {
  const [batch, length, heads, size] = x.shape as [number, number, number, number];
  return compute([[batch * heads, across ? size : length, across ? length : size]], (y) => {
    const a = elements(x);
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < length; t++) {
        for (let h = 0; h < heads; h++) {
          const from = ((b * length + t) * heads + h) * size;
          const to = (b * heads + h) * length * size;
          if (across) for (let d = 0; d < size; d++) y[to + d * length + t] = a[from + d]! * factor;
          else for (let d = 0; d < size; d++) y[to + t * size + d] = a[from + d]! * factor;
        }
      }
    }
  })[0]!;
}

/** Adjoint of {@link byHead}, summing the query heads of each of `own` key-value heads. */
function fromHeads(x: tf.Tensor, shape: readonly number[], heads: number, across: boolean): tf.Tensor {
  const [batch, length, own, size] = shape as [number, number, number, number];
  const group = heads / own;
  return compute([shape], (y) => {
    const a = elements(x);
    y.fill(0);
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        const from = (b * heads + h) * length * size;
        const kept = Math.floor(h / group);
        for (let t = 0; t < length; t++) {
          const to = ((b * length + t) * own + kept) * size;
          if (across) for (let d = 0; d < size; d++) y[to + d]! += a[from + d * length + t]!;
          else for (let d = 0; d < size; d++) y[to + d]! += a[from + t * size + d]!;
        }
      }
    }
  })[0]!;
}

const scratch = (...shape: number[]): tf.Tensor => compute([shape], () => undefined)[0]!;

/** Matrix number i of an array of matrices. */
const part = (tensor: tf.Tensor, i: number): Part => {
  const [, rows, columns] = tensor.shape as [number, number, number];
  return { tensor, offset: i * rows * columns, rows, columns };
};

/** out_i = a_i·b_j for every head i, whose key-value head is j. */
function multiplyHeads(a: tf.Tensor, b: tf.Tensor, out: tf.Tensor, node: Node): void {
  const { heads, kvHeads } = attentionDimensions(node.inputs);
  const group = heads / kvHeads;
  const shared = b.shape[0] !== out.shape[0];
  multiplyParts(
    Array.from(
      { length: out.shape[0]! },
      (_, i) => [part(a, i), part(b, shared ? Math.floor(i / group) : i), part(out, i)] as const,
    ),
  );
}

/** Random numbers of the dropout mask, one per score. */
function dropoutNumbers(key: tf.Tensor, count: number, stream: number): Float32Array {
  const [seedLo, seedHi, step, micro] = integers(key) as unknown as [number, number, number, number];
  const numbers = new Float32Array(count);
  fillUniform(numbers, { seedLo: seedLo >>> 0, seedHi: seedHi >>> 0 }, stream, step, micro);
  return numbers;
}

/** Calls `row` for every query with the range of keys that causality, window and the start of its document allow. */
function eachRow(
  node: Node,
  starts: tf.Tensor | undefined,
  row: (at: {
    base: number;
    index: number;
    batch: number;
    head: number;
    shift: number;
    low: number;
    high: number;
  }) => void,
): void {
  const { batch, tq, tk, heads } = attentionDimensions(node.inputs);
  const { causal, window } = node.attrs as unknown as Options;
  const first = starts === undefined ? undefined : integers(starts);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < tq; i++) {
        const index = (b * heads + h) * tq + i;
        const shift = i + tk - tq;
        const high = causal ? Math.min(tk, Math.max(0, shift + 1)) : tk;
        const low = Math.max(window > 0 ? shift - window + 1 : 0, first?.[b * tq + i] ?? 0);
        row({ base: index * tk, index, batch: b, head: h, shift, low: Math.min(low, high), high });
      }
    }
  }
}

const attention: Kernel = (inputs, node) => {
  const { q, k, v, keyMask, slope, key, starts } = attentionInputs(inputs, node.attrs);
  const { batch, tq, tk, heads, valueSize } = attentionDimensions(node.inputs);
  const { scale, softcap, rate, stream } = node.attrs as unknown as Options;
  const scores = scratch(batch * heads, tq, tk);
  multiplyHeads(byHead(q, false, scale), byHead(k, true), scores, node);
  const [lse] = compute([[batch, heads, tq]], (logTotals) => {
    const s = elements(scores);
    const allowed = keyMask === undefined ? undefined : integers(keyMask);
    const slopes = slope === undefined ? undefined : elements(slope);
    const numbers = key === undefined ? undefined : dropoutNumbers(key, s.length, stream);
    eachRow(node, starts, ({ base, index, batch: b, head, shift, low, high }) => {
      let top = VERY_NEGATIVE;
      for (let j = low; j < high; j++) {
        let x = s[base + j]!;
        if (softcap > 0) x = softcap * tanh(x / softcap);
        if (slopes !== undefined) x -= slopes[head]! * (shift - j);
        if (allowed !== undefined && allowed[b * tk + j] === 0) x = -Infinity;
        s[base + j] = x;
        if (x > top) top = x;
      }
      let total = 0;
      for (let j = low; j < high; j++) total += s[base + j] = exp(s[base + j]! - top);
      total = Math.max(total, TINY);
      s.fill(0, base, base + low);
      s.fill(0, base + high, base + tk);
      const factor = 1 / total;
      for (let j = low; j < high; j++) s[base + j]! *= factor;
      if (numbers !== undefined) dropRow(s, numbers, base + low, base + high, rate);
      logTotals[index] = top + Math.log(total);
    });
  });
  const mixed = scratch(batch * heads, tq, valueSize);
  multiplyHeads(scores, byHead(v, false), mixed, node);
  return [fromHeads(mixed, node.outputs[0]!.shape, heads, false), lse!];
};

function dropRow(x: Float32Array, numbers: Float32Array, from: number, to: number, rate: number): void {
  const kept = 1 / (1 - rate);
  for (let j = from; j < to; j++) x[j] = numbers[j]! >= rate ? x[j]! * kept : 0;
}

const attentionGrad: Kernel = (inputs, node) => {
  const { q, k, v, out, lse, g, keyMask, slope, key, starts } = attentionGradInputs(inputs, node.attrs);
  const { batch, tq, tk, heads, size, valueSize } = attentionDimensions(node.inputs);
  const { scale, softcap, rate, stream } = node.attrs as unknown as Options;
  // Becomes the gradient of the raw scores, and the other the dropped-out probabilities.
  const scores = scratch(batch * heads, tq, tk);
  const other = scratch(batch * heads, tq, tk);
  multiplyHeads(byHead(q, false, scale), byHead(k, true), scores, node);
  multiplyHeads(byHead(g, false), byHead(v, true), other, node);
  const slopeGradient = new Float64Array(heads);
  {
    const s = elements(scores);
    const dp = elements(other);
    const y = elements(out);
    const dy = elements(g);
    const logTotals = elements(lse);
    const allowed = keyMask === undefined ? undefined : integers(keyMask);
    const slopes = slope === undefined ? undefined : elements(slope);
    const numbers = key === undefined ? undefined : dropoutNumbers(key, s.length, stream);
    eachRow(node, starts, ({ base, index, batch: b, head, shift, low, high }) => {
      const from = ((b * tq + (index % tq)) * heads + head) * valueSize;
      let delta = 0;
      for (let d = 0; d < valueSize; d++) delta += dy[from + d]! * y[from + d]!;
      const logTotal = logTotals[index]!;
      if (numbers !== undefined) dropRow(dp, numbers, base + low, base + high, rate);
      let bias = 0;
      for (let j = low; j < high; j++) {
        let x = s[base + j]!;
        let capSlope = 1;
        if (softcap > 0) {
          const t = tanh(x / softcap);
          capSlope = 1 - t * t;
          x = softcap * t;
        }
        if (slopes !== undefined) x -= slopes[head]! * (shift - j);
        const p = allowed !== undefined && allowed[b * tk + j] === 0 ? 0 : exp(x - logTotal);
        const ds = p * (dp[base + j]! - delta);
        bias -= ds * (shift - j);
        s[base + j] = ds * scale * capSlope;
        dp[base + j] = p;
      }
      slopeGradient[head]! += bias;
      for (const rows of [s, dp]) {
        rows.fill(0, base, base + low);
        rows.fill(0, base + high, base + tk);
      }
      if (numbers !== undefined) dropRow(dp, numbers, base + low, base + high, rate);
    });
  }
  const dq = scratch(batch * heads, tq, size);
  const dk = scratch(batch * heads, size, tk);
  const dv = scratch(batch * heads, valueSize, tk);
  multiplyHeads(scores, byHead(k, false), dq, node);
  multiplyHeads(byHead(q, true), scores, dk, node);
  multiplyHeads(byHead(g, true), other, dv, node);
  const result = [
    fromHeads(dq, q.shape, heads, false),
    fromHeads(dk, k.shape, heads, true),
    fromHeads(dv, v.shape, heads, true),
  ];
  if (slope !== undefined) result.push(...compute([[heads]], (y) => y.set(slopeGradient)));
  return result;
};

export const ATTENTION = { attention, attentionGrad } satisfies Record<string, Kernel>;
