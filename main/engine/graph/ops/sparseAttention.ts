/**
 * Causal attention in which a query sees few of the keys before it: by a pattern that is known beforehand (sparsePattern.ts), or the last
 * few and those that a score has chosen (sparsek.ts). Queries, keys and values as in `attention`, all of one length T.
 *
 * Key j counts for query i where start_i ≤ j ≤ i, j is no padding, and the pattern of the head lets i see j. With a selection the pattern is
 * `local`, its keys count in full, and of those before it key j counts where i < expiry_j: its probability is then multiplied by
 * clip(score_j − threshold_i, 0, 1) after the soft-max.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Attributes, Node, Value, ValueType } from '../value.ts';
import { attentionDimensions } from './attention.ts';
import type { ScoreOptions } from './attention.ts';
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
import type { Kept, Masked, Mixed, Scores } from './attentionParts.ts';
import {
  cast,
  equal,
  greater,
  greaterEqual,
  less,
  maximum,
  minimum,
  mul,
  neg,
  scalar,
  select,
  sub,
} from './elementwise.ts';
import { iota } from './leaves.ts';
import { broadcastTo, concat, reshape, slice } from './movement.ts';
import { sumTo } from './reduce.ts';
import { mostKeys, patternOf, PATTERNS, sparsePairs, summaryColumns } from './sparsePattern.ts';
import type { SparsePattern } from './sparsePattern.ts';

/** What `sparsek` has chosen. */
export interface Selection {
  /** f32 [batch, T]. */
  readonly scores: Value;
  /** f32 [batch, T]: of the tokens up to each. */
  readonly threshold: Value;
  /** i32 [batch, T]: the first position that does not see the token any more. */
  readonly expiry: Value;
  /** How many are chosen at most, for the cost. */
  readonly count: number;
}

export interface SparseOptions extends ScoreOptions {
  readonly pattern: SparsePattern;
  readonly selection?: Selection | undefined;
}

interface Optional<T> {
  keyMask?: T;
  slope?: T;
  key?: T;
  starts?: T;
  scores?: T;
  threshold?: T;
  expiry?: T;
}

function optionalInputs<T>(rest: readonly T[], attrs: Attributes): Optional<T> {
  let next = 0;
  const take = (present: unknown) => (present === true ? rest[next++] : undefined);
  const { hasKeyMask, hasSlope, hasKey, hasStarts, hasSelection } = attrs;
  return {
    keyMask: take(hasKeyMask),
    slope: take(hasSlope),
    key: take(hasKey),
    starts: take(hasStarts),
    scores: take(hasSelection),
    threshold: take(hasSelection),
    expiry: take(hasSelection),
  };
}

/** The inputs of a sparseAttention node by name. */
export function sparseInputs<T>(inputs: readonly T[], attrs: Attributes): { q: T; k: T; v: T } & Optional<T> {
  const [q, k, v, ...rest] = inputs as [T, T, T, ...T[]];
  return { q, k, v, ...optionalInputs(rest, attrs) };
}

/** The inputs of a sparseAttentionGrad node by name; g is the gradient of `out`. */
export function sparseGradInputs<T>(
  inputs: readonly T[],
  attrs: Attributes,
): { q: T; k: T; v: T; out: T; lse: T; g: T } & Optional<T> {
  const [q, k, v, out, lse, g, ...rest] = inputs as [T, T, T, T, T, T, ...T[]];
  return { q, k, v, out, lse, g, ...optionalInputs(rest, attrs) };
}

export const patternOfNode = ({ patterns, block, summary, groups }: Attributes): SparsePattern => ({
  patterns: (patterns as readonly number[]).map((index) => PATTERNS[index]!),
  block: block as number,
  summary: summary as number,
  groups: groups as number,
});

/** f32 [1, T] of ⌊j/size⌋ and of j mod size. */
function blocksOf(like: Value, length: number, size: number): { block: Value; place: Value } {
  const count = Math.ceil(length / size);
  const spread = (x: Value) => slice(reshape(broadcastTo(x, [count, size]), [1, count * size]), 1, 0, length);
  return {
    block: spread(reshape(iota(like.graph, count), [count, 1])),
    place: spread(reshape(iota(like.graph, size), [1, size])),
  };
}

/** [1, Tk] → [Tq, 1]: of the queries, which are the last of the tokens. */
const column = (x: Value, queries: number): Value => reshape(slice(x, 1, x.shape[1]! - queries, queries), [queries, 1]);

/** u8 [Tq, Tk]: what a head's pattern lets its queries see, later keys apart. */
function patternMask(pattern: SparsePattern, head: number, distance: Value): Value {
  const { block: size } = pattern;
  const kind = patternOf(pattern, head);
  const [queries, length] = distance.shape as [number, number];
  if (kind === 'all') return greaterEqual(distance, distance);
  if (kind === 'local') return less(distance, scalar(distance, size));
  const { block, place } = blocksOf(distance, length, size);
  if (kind === 'strided') return equal(column(place, queries), place);
  const [from, to] = summaryColumns(pattern, head);
  const summary = both(greaterEqual(place, scalar(place, from)), less(place, scalar(place, to)));
  return either(equal(column(block, queries), block), summary);
}

function either(a: Value, b: Value): Value {
  return greater(maximum(cast(a, 'f32'), cast(b, 'f32')), scalar(a, 0));
}

/** The patterns of all heads, [1, heads or 1, Tq, Tk]. */
function patternMasks(pattern: SparsePattern, heads: number, distance: Value): Value {
  const [queries, length] = distance.shape as [number, number];
  const known = new Map<string, Value>();
  const masks = Array.from({ length: heads }, (_, head) => {
    const name = `${patternOf(pattern, head)} ${summaryColumns(pattern, head).join()}`;
    const mask = known.get(name) ?? reshape(cast(patternMask(pattern, head, distance), 'f32'), [1, 1, queries, length]);
    known.set(name, mask);
    return mask;
  });
  const all = known.size === 1 ? masks[0]! : concat(masks, 1);
  return greater(all, scalar(all, 0));
}

/** With a selection some keys count in part. */
interface Sparse extends Scores, Masked {
  /** Factors on the probabilities, f32 [batch, 1, Tq, Tk], and where they are not constant. */
  readonly weights?: { readonly factor: Value; readonly smooth: Value };
}

function scoresOf(
  q: Value,
  k: Value,
  attrs: Attributes,
  { keyMask, slope, starts, ...chosen }: Optional<Value>,
): Sparse {
  const { batch, tq, tk, heads } = attentionDimensions([q, k, k]);
  const made = rawScores(q, k, attrs, slope);
  const { distance } = made;
  const pattern = patternOfNode(attrs);
  const seen = patternMasks(pattern, heads, distance);
  let mask = both(greaterEqual(distance, scalar(q, 0)), seen);
  let weights: Sparse['weights'];
  if (chosen.scores !== undefined) {
    const position = slice(reshape(iota(q.graph, tk), [1, 1, tk, 1]), 2, tk - tq, tq);
    const expiry = reshape(cast(chosen.expiry!, 'f32'), [batch, 1, 1, tk]);
    mask = both(greaterEqual(distance, scalar(q, 0)), either(seen, greater(expiry, position)));
    const above = sub(reshape(chosen.scores, [batch, 1, 1, tk]), reshape(chosen.threshold!, [batch, 1, tq, 1]));
    const clipped = minimum(maximum(above, scalar(above, 0)), scalar(above, 1));
    const between = both(greater(above, scalar(above, 0)), less(above, scalar(above, 1)));
    weights = {
      factor: select(seen, broadcastTo(scalar(above, 1), above.shape), clipped),
      smooth: select(seen, broadcastTo(scalar(above, 0), above.shape), cast(between, 'f32')),
    };
  }
  if (keyMask !== undefined) mask = both(mask, greater(reshape(cast(keyMask, 'f32'), [batch, 1, 1, tk]), scalar(q, 0)));
  if (starts !== undefined) mask = both(mask, sinceStart(starts, tk));
  return { ...made, mask, ...(weights === undefined ? {} : { weights }) };
}

/**
 * Scores of the queries from `from` on, `size` of them, in the first `rows` sequences, and the keys up to them that they may see. As
 * `attentionScores`, for looking at what a fused kernel never writes down.
 */
export function sparseScores({ inputs, attrs }: Node, rows: number, from: number, size: number): Sparse {
  const { q, k, keyMask, slope, starts, scores, threshold, expiry } = sparseInputs(inputs, attrs);
  const part = (x: Value, begin: number, count: number) => slice(slice(x, 0, 0, rows), 1, begin, count);
  const queries = (x: Value) => part(x, from, size);
  const keys = (x: Value) => part(x, 0, from + size);
  const optional: Optional<Value> = {};
  if (keyMask !== undefined) optional.keyMask = keys(keyMask);
  if (slope !== undefined) optional.slope = slope;
  if (starts !== undefined) optional.starts = queries(starts);
  if (scores !== undefined)
    Object.assign(optional, { scores: keys(scores), threshold: queries(threshold!), expiry: keys(expiry!) });
  return scoresOf(queries(q), keys(k), attrs, optional);
}

const keptOf = ({ weights }: Sparse, attrs: Attributes, key: Value | undefined): Kept => ({
  drop: dropoutOf(attrs, key),
  weights: weights?.factor,
});

/** Keys that the queries of a node see at most, summed over its heads. */
export function mostKeysOf({ inputs, attrs }: Node): number {
  const { tk, heads } = attentionDimensions(inputs);
  return mostKeys(patternOfNode(attrs), heads, tk, attrs.chosen as number);
}

function pairFlops(node: Node, perPair: number): number {
  const { batch, heads, tk } = attentionDimensions(node.inputs);
  return batch * sparsePairs(patternOfNode(node.attrs), heads, tk, node.attrs.chosen as number) * perPair;
}

function requireFitting(inputs: readonly Value[], attrs: Attributes): void {
  const { q, k, v, keyMask, slope, starts, scores, threshold, expiry } = sparseInputs(inputs, attrs);
  const name = 'sparseAttention';
  const ranks = [q, k, v].every(({ shape }) => shape.length === 4);
  requireShape(ranks, name, 'needs [batch, length, heads, size]', q, k, v);
  const { batch, tq, tk, heads, kvHeads, size } = attentionDimensions(inputs);
  const agrees = sameShape(k.shape, [batch, tq, kvHeads, size]) && sameShape(v.shape.slice(0, 3), k.shape.slice(0, 3));
  requireShape(agrees && heads % kvHeads === 0, name, 'queries, keys and values disagree', q, k, v);
  if (keyMask)
    requireShape(
      keyMask.dtype === 'u8' && sameShape(keyMask.shape, [batch, tk]),
      name,
      'the key mask must be u8 [batch, T]',
      keyMask,
    );
  if (slope) requireShape(sameShape(slope.shape, [heads]), name, 'one slope per head', slope);
  if (starts) requireStarts(name, starts, [batch, tq]);
  for (const each of [scores, threshold, expiry])
    if (each) requireShape(sameShape(each.shape, [batch, tk]), name, 'a selection is [batch, T]', each);
}

defineOperation({
  name: 'sparseAttention',
  kind: 'composite',
  infer: (inputs, attrs) => {
    requireFitting(inputs, attrs);
    const { batch, tq, heads, valueSize } = attentionDimensions(inputs);
    return [
      { shape: [batch, tq, heads, valueSize], dtype: inputs[0]!.dtype },
      { shape: [batch, heads, tq], dtype: 'f32' },
    ];
  },
  gradient: (node, [g, gradientOfLse]) => {
    const { attrs, inputs, outputs } = node;
    const [q, k, v, ...rest] = inputs as [Value, Value, Value, ...Value[]];
    if (gradientOfLse !== undefined)
      throw new Error('sparseAttention: its log-sum-exp has no gradient rule; decompose the node to differentiate it');
    if (g === undefined) return inputs.map(() => undefined);
    const [out, lse] = outputs as [Value, Value];
    const grads = [...g.graph.add('sparseAttentionGrad', [q, k, v, out, lse, cast(g, out.dtype), ...rest], attrs)];
    const result: (Value | undefined)[] = grads.splice(0, 3);
    if (attrs.hasKeyMask === true) result.push(undefined);
    if (attrs.hasSlope === true) result.push(grads.shift());
    if (attrs.hasKey === true) result.push(undefined);
    if (attrs.hasStarts === true) result.push(undefined);
    if (attrs.hasSelection === true) result.push(grads.shift(), grads.shift(), undefined);
    return result;
  },
  decompose: (inputs, attrs) => {
    const { q, k, v, key, ...optional } = sparseInputs(inputs, attrs);
    const scores = scoresOf(q, k, attrs, optional);
    return mixed(v, scores, keptOf(scores, attrs, key));
  },
  flops: (node) => {
    const { size, valueSize } = attentionDimensions(node.inputs);
    return pairFlops(node, 2 * size + 2 * valueSize + 8);
  },
});

defineOperation({
  name: 'sparseAttentionGrad',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [q, k, v] = inputs as [Value, Value, Value];
    const types: ValueType[] = [q, k, v].map(({ shape, dtype }) => ({ shape, dtype }));
    if (attrs.hasSlope === true) types.push({ shape: [q.shape[2]!], dtype: 'f32' });
    const tokens: ValueType = { shape: q.shape.slice(0, 2), dtype: 'f32' };
    if (attrs.hasSelection === true) types.push(tokens, tokens);
    return types;
  },
  decompose: (inputs, attrs) => {
    const { q, k, v, out, lse, g, key, ...optional } = sparseGradInputs(inputs, attrs);
    const scores = scoresOf(q, k, attrs, optional);
    const given: Mixed = { q, k, v, out, lse, g };
    const { dq, dk, dv, dScores, dWeights } = mixedGradients(given, scores, attrs, keptOf(scores, attrs, key));
    const result = [dq, dk, dv];
    if (optional.slope) result.push(slopeGradient(dScores, scores.distance));
    if (scores.weights !== undefined) {
      const [batch, , length] = dScores.shape as [number, number, number];
      const moved = mul(dWeights!, scores.weights.smooth);
      result.push(reshape(sumTo(moved, [batch, 1, 1, length]), [batch, length]));
      result.push(reshape(neg(sumTo(moved, [batch, 1, length, 1])), [batch, length]));
    }
    return result;
  },
  flops: (node) => {
    const { size, valueSize } = attentionDimensions(node.inputs);
    return pairFlops(node, 6 * size + 4 * valueSize + 12);
  },
});

/** Attention output [batch, T, heads, Dv]. */
export function sparseAttention(
  q: Value,
  k: Value,
  v: Value,
  { pattern, selection, ...options }: SparseOptions,
): Value {
  const inputs = [q, k, v];
  const { keyMask, slope } = options;
  if (keyMask) inputs.push(keyMask);
  if (slope) inputs.push(slope);
  const drop = options.dropout !== undefined && options.dropout.rate > 0 ? options.dropout : undefined;
  if (drop) inputs.push(drop.key);
  if (options.starts) inputs.push(options.starts);
  // Differences of scores decide, so they are taken in 32 bits under every policy.
  if (selection) inputs.push(cast(selection.scores, 'f32'), cast(selection.threshold, 'f32'), selection.expiry);
  return q.graph.add('sparseAttention', inputs, {
    scale: options.scale ?? 1 / Math.sqrt(q.shape[3]!),
    softcap: options.softcap ?? 0,
    rate: drop?.rate ?? 0,
    stream: drop?.stream ?? 0,
    patterns: pattern.patterns.map((name) => PATTERNS.indexOf(name)),
    block: pattern.block,
    summary: pattern.summary,
    groups: pattern.groups,
    chosen: selection?.count ?? 0,
    hasKeyMask: keyMask !== undefined,
    hasSlope: slope !== undefined,
    hasKey: drop !== undefined,
    hasStarts: options.starts !== undefined,
    hasSelection: selection !== undefined,
  })[0]!;
}
