/**
 * Scaled dot-product attention (Vaswani et al. 2017) as one operation, so that executors can avoid the length × length matrix
 * (Dao et al. 2022). Queries are [batch, Tq, heads, D], keys and values [batch, Tk, kv heads, D or Dv]; query head h reads kv head
 * ⌊h·kv/heads⌋ (grouped queries, Ainslie et al. 2023). Query i stands at position i + Tk − Tq.
 *
 * score = scale·q·k → soft-cap c·tanh(score/c) → − slope_h·(i − j) (linear distance bias, Press et al. 2021, learned slope)
 * → mask (j ≤ i, i − j < window, key not padding) → soft-max → dropout → ·v. A query with no allowed key gives zeros.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Attributes, Node, Value, ValueType } from '../value.ts';
import {
  add,
  cast,
  div,
  exp,
  greater,
  greaterEqual,
  less,
  log,
  maximum,
  mul,
  neg,
  scalar,
  select,
  square,
  sub,
  tanh,
} from './elementwise.ts';
import { iota } from './leaves.ts';
import { matmul } from './matmul.ts';
import { broadcastTo, reshape, transpose } from './movement.ts';
import { dropout } from './random.ts';
import { reduceMax, reduceSum, sumTo } from './reduce.ts';

export interface AttentionOptions {
  /** Factor on q·k; 1/√D unless given. */
  scale?: number;
  causal?: boolean;
  /** Keys seen by a query, itself included; 0 for all. */
  window?: number;
  /** c of the soft-cap on scores; 0 for none. */
  softcap?: number;
  /** u8 [batch, Tk]: 0 where the key is padding. */
  keyMask?: Value;
  /** f32 [heads]: non-negative slope of the distance bias. */
  slope?: Value;
  /** Dropout of the probabilities, with its random key and stream. */
  dropout?: { rate: number; key: Value; stream: number };
}

/** Optional inputs in the order in which they follow q, k, v (and in backward out, lse, gradient). */
interface Optional<T> {
  keyMask?: T;
  slope?: T;
  key?: T;
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
  return { keyMask: take(attrs.hasKeyMask), slope: take(attrs.hasSlope), key: take(attrs.hasKey) };
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

/** [batch, T, kv, D] → [batch, heads, T, D], each kv head repeated for its group of query heads. */
function byHead(x: Value, heads: number): Value {
  const [batch, length, own, size] = x.shape as [number, number, number, number];
  const group = heads / own;
  const wide =
    group === 1
      ? x
      : reshape(broadcastTo(reshape(x, [batch, length, own, 1, size]), [batch, length, own, group, size]), [
          batch,
          length,
          heads,
          size,
        ]);
  return transpose(wide, [0, 2, 1, 3]);
}

/** Adjoint of {@link byHead}: [batch, heads, T, D] → [batch, T, kv, D]. */
function fromHeads(x: Value, own: number): Value {
  const back = transpose(x, [0, 2, 1, 3]);
  const [batch, length, heads, size] = back.shape as [number, number, number, number];
  if (heads === own) return back;
  const summed = sumTo(reshape(back, [batch, length, own, heads / own, size]), [batch, length, own, 1, size]);
  return cast(reshape(summed, [batch, length, own, size]), x.dtype);
}

/** f32 [Tq, Tk]: position of the query minus position of the key. */
function distances(like: Value, tq: number, tk: number): Value {
  const query = add(reshape(iota(like.graph, tq), [tq, 1]), scalar(like, tk - tq));
  return sub(query, reshape(iota(like.graph, tk), [1, tk]));
}

interface Scores {
  /** f32 [batch, heads, Tq, Tk] before masking. */
  scores: Value;
  /** d score / d (scale·q·k), when a soft-cap applies. */
  capSlope?: Value;
  /** u8, broadcastable to the scores; undefined when everything is allowed. */
  mask?: Value;
  distance: Value;
}

function scoresOf(q: Value, k: Value, attrs: Attributes, { keyMask, slope }: Optional<Value>): Scores {
  const { batch, tq, tk, heads } = attentionDimensions([q, k, k]);
  let scores = mul(
    matmul(byHead(q, heads), byHead(k, heads), { transposeB: true, out: 'f32' }),
    scalar(q, attrs.scale as number),
  );
  let capSlope: Value | undefined;
  const cap = attrs.softcap as number;
  if (cap > 0) {
    const t = tanh(mul(scores, scalar(q, 1 / cap)));
    capSlope = sub(scalar(q, 1), square(t));
    scores = mul(t, scalar(q, cap));
  }
  const distance = distances(q, tq, tk);
  if (slope !== undefined) scores = sub(scores, mul(reshape(slope, [1, heads, 1, 1]), distance));
  const masks: Value[] = [];
  if (attrs.causal === true) masks.push(greaterEqual(distance, scalar(q, 0)));
  if ((attrs.window as number) > 0) masks.push(less(distance, scalar(q, attrs.window as number)));
  if (keyMask !== undefined) masks.push(greater(reshape(cast(keyMask, 'f32'), [batch, 1, 1, tk]), scalar(q, 0)));
  const mask = masks.length === 0 ? undefined : masks.reduce(both);
  return { scores, capSlope, mask, distance };
}

function both(a: Value, b: Value): Value {
  return greater(mul(cast(a, 'f32'), cast(b, 'f32')), scalar(a, 0));
}

const masked = (mask: Value | undefined, x: Value, otherwise: number) =>
  mask === undefined ? x : select(mask, x, scalar(x, otherwise));

/** Stands for −∞ where −∞ − −∞ would give NaN. */
const VERY_NEGATIVE = -1e30;
const TINY = 1e-30;

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
    const { q, k, v, keyMask, slope } = attentionInputs(inputs, attrs);
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
    return result;
  },
  decompose: (inputs, attrs) => {
    const { q, k, v, ...optional } = attentionInputs(inputs, attrs);
    const { batch, heads, tq } = attentionDimensions(inputs);
    const { scores, mask } = scoresOf(q, k, attrs, optional);
    const safe = masked(mask, scores, VERY_NEGATIVE);
    const top = reduceMax(safe, [3]);
    const weights = masked(mask, exp(sub(safe, top)), 0);
    const total = maximum(reduceSum(weights, [3]), scalar(q, TINY));
    let p = div(weights, total);
    if (optional.key) p = dropout(p, optional.key, attrs.rate as number, attrs.stream as number);
    const out = transpose(matmul(cast(p, v.dtype), byHead(v, heads)), [0, 2, 1, 3]);
    return [out, reshape(add(top, log(total)), [batch, heads, tq])];
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
    const { batch, heads, kvHeads, tq } = attentionDimensions(inputs);
    const { scores, capSlope, mask, distance } = scoresOf(q, k, attrs, optional);
    const logTotal = reshape(lse, [batch, heads, tq, 1]);
    // Masked scores are replaced before the exponential: they may exceed the row's log-sum-exp and overflow.
    const p = masked(mask, exp(sub(masked(mask, scores, VERY_NEGATIVE), logTotal)), 0);
    const drop = (x: Value) =>
      optional.key ? dropout(x, optional.key, attrs.rate as number, attrs.stream as number) : x;
    const dy = transpose(g, [0, 2, 1, 3]);
    const dv = matmul(cast(drop(p), v.dtype), dy, { transposeA: true });
    const dp = drop(matmul(dy, byHead(v, heads), { transposeB: true, out: 'f32' }));
    // Σ_j p·dp = dy·out, row by row.
    const delta = reduceSum(mul(cast(dy, 'f32'), cast(transpose(out, [0, 2, 1, 3]), 'f32')), [3]);
    const dScores = mul(p, sub(dp, delta));
    let dRaw = mul(dScores, scalar(q, attrs.scale as number));
    if (capSlope) dRaw = mul(dRaw, capSlope);
    const raw = cast(dRaw, q.dtype);
    const dq = transpose(matmul(raw, byHead(k, heads)), [0, 2, 1, 3]);
    const dk = matmul(raw, byHead(q, heads), { transposeA: true });
    const result = [dq, fromHeads(dk, kvHeads), fromHeads(dv, kvHeads)];
    if (optional.slope) result.push(reshape(sumTo(neg(mul(dScores, distance)), [1, heads, 1, 1]), [heads]));
    return result;
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
  })[0]!;
}
