/**
 * Scaled dot-product attention (Vaswani et al. 2017) as one operation, so that executors can avoid the length × length matrix
 * (Dao et al. 2022). Queries are [batch, Tq, heads, D], keys and values [batch, Tk, kv heads, D or Dv]; query head h reads kv head
 * ⌊h·kv/heads⌋ (grouped queries, Ainslie et al. 2023). Query i stands at position i + Tk − Tq.
 *
 * score = scale·q·k → soft-cap c·tanh(score/c) → − slope_h·(i − j) (linear distance bias, Press et al. 2021, learned slope)
 * → mask (j ≤ i, i − j < window, j ≥ start_i, key not padding) → soft-max → dropout → ·v. A query with no allowed key gives zeros.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Attributes, Node, Value, ValueType } from '../value.ts';
import {
  both,
  dropoutOf,
  mixed,
  mixedGradients,
  rawScores,
  requireStarts,
  sinceStart,
  slopeGradient,
} from './attentionParts.ts';
import type { Masked, Scores } from './attentionParts.ts';
import { cast, greater, greaterEqual, less, scalar } from './elementwise.ts';
import { reshape, slice } from './movement.ts';

/** What all forms of attention take. */
export interface ScoreOptions {
  /** Factor on q·k; 1/√D unless given. */
  scale?: number;
  /** c of the soft-cap on scores; 0 for none. */
  softcap?: number;
  /** u8 [batch, Tk]: 0 where the key is padding. */
  keyMask?: Value;
  /** i32 [batch, Tq]: the first key that a query may see, where documents share a row. Never falls along a row. */
  starts?: Value;
  /** f32 [heads]: non-negative slope of the distance bias. */
  slope?: Value;
  /** Dropout of the probabilities, with its random key and stream. */
  dropout?: { rate: number; key: Value; stream: number };
}

export interface AttentionOptions extends ScoreOptions {
  causal?: boolean;
  /** Keys seen by a query, itself included; 0 for all. */
  window?: number;
}

/** Optional inputs in the order in which they follow q, k, v (and in backward out, lse, gradient). */
interface Optional<T> {
  keyMask?: T;
  slope?: T;
  key?: T;
  starts?: T;
}

/** The inputs of an attention node by name: its values, or what an executor has for each of them. */
export interface AttentionInputs<T> extends Optional<T> {
  q: T;
  k: T;
  v: T;
}

/** The inputs of an attentionGrad node by name. */
export interface AttentionGradInputs<T> extends AttentionInputs<T> {
  out: T;
  lse: T;
  /** Gradient of `out`. */
  g: T;
}

function optionalInputs<T>(rest: readonly T[], attrs: Attributes): Optional<T> {
  let next = 0;
  const take = (present: unknown) => (present === true ? rest[next++] : undefined);
  const { hasKeyMask, hasSlope, hasKey, hasStarts } = attrs;
  return { keyMask: take(hasKeyMask), slope: take(hasSlope), key: take(hasKey), starts: take(hasStarts) };
}

export function attentionInputs<T>(inputs: readonly T[], attrs: Attributes): AttentionInputs<T> {
  const [q, k, v, ...rest] = inputs as [T, T, T, ...T[]];
  return { q, k, v, ...optionalInputs(rest, attrs) };
}

export function attentionGradInputs<T>(inputs: readonly T[], attrs: Attributes): AttentionGradInputs<T> {
  const [q, k, v, out, lse, g, ...rest] = inputs as [T, T, T, T, T, T, ...T[]];
  return { q, k, v, out, lse, g, ...optionalInputs(rest, attrs) };
}

interface Dimensions {
  batch: number;
  tq: number;
  tk: number;
  heads: number;
  kvHeads: number;
  size: number;
  valueSize: number;
}

/** Sizes of an attention node (forward or backward) from its first three inputs. */
export function attentionDimensions(inputs: readonly Value[]): Dimensions {
  const [q, k, v] = inputs as [Value, Value, Value];
  const [batch, tq, heads, size] = q.shape as [number, number, number, number];
  const [, tk, kvHeads] = k.shape as [number, number, number];
  return { batch, tq, tk, heads, kvHeads, size, valueSize: v.shape[3]! };
}

/** Scores and which of them count. */
function scoresOf(q: Value, k: Value, attrs: Attributes, { keyMask, slope, starts }: Optional<Value>): Scores & Masked {
  const { batch, tk } = attentionDimensions([q, k, k]);
  const made = rawScores(q, k, attrs, slope);
  const masks: Value[] = [];
  if (attrs.causal === true) masks.push(greaterEqual(made.distance, scalar(q, 0)));
  if ((attrs.window as number) > 0) masks.push(less(made.distance, scalar(q, attrs.window as number)));
  if (keyMask !== undefined) masks.push(greater(reshape(cast(keyMask, 'f32'), [batch, 1, 1, tk]), scalar(q, 0)));
  if (starts !== undefined) masks.push(sinceStart(starts, tk));
  return { ...made, mask: masks.length === 0 ? undefined : masks.reduce(both) };
}

/**
 * Scores of the queries from `from` on, `size` of them, in the first `rows` sequences of a causal node, and the keys up to them that they may see.
 * For looking at what a fused kernel never writes down.
 */
export function attentionScores({ inputs, attrs }: Node, rows: number, from: number, size: number): Scores & Masked {
  if (attrs.causal !== true) throw new Error('attentionScores: needs an attention that is causal');
  const { q, k, keyMask, slope, starts } = attentionInputs(inputs, attrs);
  const part = (x: Value, begin: number, count: number) => slice(slice(x, 0, 0, rows), 1, begin, count);
  const optional: Optional<Value> = {};
  if (keyMask !== undefined) optional.keyMask = part(keyMask, 0, from + size);
  if (slope !== undefined) optional.slope = slope;
  if (starts !== undefined) optional.starts = part(starts, from, size);
  return scoresOf(part(q, from, size), part(k, 0, from + size), attrs, optional);
}

/** Fraction of query–key pairs that the mask allows, for the cost. */
function density(node: Node): number {
  const { tq, tk } = attentionDimensions(node.inputs);
  if (node.attrs.causal !== true) return 1;
  const window = (node.attrs.window as number) || tk;
  let pairs = 0;
  for (let i = 0; i < tq; i++) pairs += Math.max(0, Math.min(i + tk - tq + 1, window));
  return pairs / (tq * tk);
}

function pairFlops(node: Node, products: (d: Dimensions) => number): number {
  const d = attentionDimensions(node.inputs);
  return density(node) * d.batch * d.heads * d.tq * d.tk * products(d);
}

defineOperation({
  name: 'attention',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const { q, k, v, keyMask, slope, starts } = attentionInputs(inputs, attrs);
    requireShape(
      q.shape.length === 4 && k.shape.length === 4 && v.shape.length === 4,
      'attention',
      'needs [batch, length, heads, size]',
      q,
      k,
      v,
    );
    const { batch, tq, tk, heads, kvHeads, size, valueSize } = attentionDimensions(inputs);
    const agrees =
      k.shape[0] === batch &&
      v.shape[0] === batch &&
      v.shape[1] === tk &&
      v.shape[2] === kvHeads &&
      k.shape[3] === size;
    requireShape(agrees && heads % kvHeads === 0, 'attention', 'queries, keys and values disagree', q, k, v);
    if (keyMask)
      requireShape(
        keyMask.dtype === 'u8' && sameShape(keyMask.shape, [batch, tk]),
        'attention',
        'the key mask must be u8 [batch, Tk]',
        keyMask,
      );
    if (slope) requireShape(sameShape(slope.shape, [heads]), 'attention', 'one slope per head', slope);
    if (starts) requireStarts('attention', starts, [batch, tq]);
    return [
      { shape: [batch, tq, heads, valueSize], dtype: q.dtype },
      { shape: [batch, heads, tq], dtype: 'f32' },
    ];
  },
  gradient: (node, [g, gradientOfLse]) => {
    const [q, k, v, ...rest] = node.inputs as [Value, Value, Value, ...Value[]];
    if (gradientOfLse !== undefined)
      throw new Error('attention: its log-sum-exp has no gradient rule; decompose the node to differentiate it');
    if (g === undefined) return node.inputs.map(() => undefined);
    const grads = g.graph.add(
      'attentionGrad',
      [q, k, v, node.outputs[0]!, node.outputs[1]!, cast(g, node.outputs[0]!.dtype), ...rest],
      node.attrs,
    );
    const result: (Value | undefined)[] = [grads[0], grads[1], grads[2]];
    if (node.attrs.hasKeyMask === true) result.push(undefined);
    if (node.attrs.hasSlope === true) result.push(grads[3]);
    if (node.attrs.hasKey === true) result.push(undefined);
    if (node.attrs.hasStarts === true) result.push(undefined);
    return result;
  },
  decompose: (inputs, attrs) => {
    const { q, k, v, ...optional } = attentionInputs(inputs, attrs);
    return mixed(v, scoresOf(q, k, attrs, optional), { drop: dropoutOf(attrs, optional.key) });
  },
  flops: (node) => pairFlops(node, (d) => 2 * d.size + 2 * d.valueSize + 8),
});

defineOperation({
  name: 'attentionGrad',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [q, k, v] = inputs as [Value, Value, Value];
    const types: ValueType[] = [q, k, v].map(({ shape, dtype }) => ({ shape, dtype }));
    if (attrs.hasSlope === true) types.push({ shape: [q.shape[2]!], dtype: 'f32' });
    return types;
  },
  decompose: (inputs, attrs) => {
    const { q, k, v, out, lse, g, ...optional } = attentionGradInputs(inputs, attrs);
    const scores = scoresOf(q, k, attrs, optional);
    const drop = dropoutOf(attrs, optional.key);
    const { dq, dk, dv, dScores } = mixedGradients({ q, k, v, out, lse, g }, scores, attrs, { drop });
    return optional.slope ? [dq, dk, dv, slopeGradient(dScores, scores.distance)] : [dq, dk, dv];
  },
  flops: (node) => pairFlops(node, (d) => 6 * d.size + 4 * d.valueSize + 12),
});

/** Attention output [batch, Tq, heads, Dv]. */
export function attention(q: Value, k: Value, v: Value, options: AttentionOptions = {}): Value {
  const inputs = [q, k, v];
  if (options.keyMask) inputs.push(options.keyMask);
  if (options.slope) inputs.push(options.slope);
  const drop = options.dropout !== undefined && options.dropout.rate > 0 ? options.dropout : undefined;
  if (drop) inputs.push(drop.key);
  if (options.starts) inputs.push(options.starts);
  return q.graph.add('attention', inputs, {
    scale: options.scale ?? 1 / Math.sqrt(q.shape[3]!),
    causal: options.causal ?? false,
    window: options.window ?? 0,
    softcap: options.softcap ?? 0,
    rate: drop?.rate ?? 0,
    stream: drop?.stream ?? 0,
    hasKeyMask: options.keyMask !== undefined,
    hasSlope: options.slope !== undefined,
    hasKey: drop !== undefined,
    hasStarts: options.starts !== undefined,
  })[0]!;
}
