/** What all forms of attention are made of: heads side by side, distances, masks. */
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Attributes, Shape, Value } from '../value.ts';
import {
  add,
  cast,
  div,
  exp,
  greater,
  greaterEqual,
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

/** u8 [batch, 1, Tq, Tk]: keys that are not before the start of their query. */
export function sinceStart(starts: Value, keys: number): Value {
  const [batch, queries] = starts.shape as [number, number];
  const key = reshape(iota(starts.graph, keys), [1, 1, 1, keys]);
  return greaterEqual(key, reshape(cast(starts, 'f32'), [batch, 1, queries, 1]));
}

/** @throws ShapeError for starts that are not one position for each query */
export function requireStarts(name: string, starts: Value, shape: Shape): void {
  const fits = starts.dtype === 'i32' && sameShape(starts.shape, shape);
  requireShape(fits, name, `starts must be i32 [${shape.join(', ')}]`, starts);
}

/** Where both masks hold. */
export function both(a: Value, b: Value): Value {
  return greater(mul(cast(a, 'f32'), cast(b, 'f32')), scalar(a, 0));
}

/** x where the mask holds (everywhere without one), else the number. */
const masked = (mask: Value | undefined, x: Value, otherwise: number) =>
  mask === undefined ? x : select(mask, x, scalar(x, otherwise));

/** Stands for −∞ where −∞ − −∞ would give NaN. */
const VERY_NEGATIVE = -1e30;
/** The least sum of a soft-max: a row without keys gives zeros. */
const TINY = 1e-30;

export interface Scores {
  /** f32 [batch, heads, Tq, Tk] before masking. */
  readonly scores: Value;
  /** d score / d (scale·q·k), when a soft-cap applies. */
  readonly capSlope?: Value;
  readonly distance: Value;
}

export interface Masked {
  /** u8, broadcastable to the scores; undefined when everything is allowed. */
  readonly mask: Value | undefined;
}

/** What becomes of probabilities before they mix values. */
export interface Kept {
  drop?: ((x: Value) => Value) | undefined;
  /** f32, broadcastable to the scores: factors on what is left. */
  weights?: Value | undefined;
}

/** scale·q·k → soft-cap → distance bias, of queries [batch, Tq, heads, D] and keys [batch, Tk, kv heads, D]. */
export function rawScores(q: Value, k: Value, attrs: Attributes, slope: Value | undefined): Scores {
  const [, tq, heads] = q.shape as [number, number, number];
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
  const distance = distances(q, tq, k.shape[1]!);
  if (slope !== undefined) scores = sub(scores, mul(reshape(slope, [1, heads, 1, 1]), distance));
  return { scores, ...(capSlope === undefined ? {} : { capSlope }), distance };
}

export function dropoutOf(attrs: Attributes, key: Value | undefined): Kept['drop'] {
  return key === undefined ? undefined : (x) => dropout(x, key, attrs.rate as number, attrs.stream as number);
}

/** Values mixed by the soft-max of the scores, [batch, Tq, heads, Dv], and its log-sum-exp, [batch, heads, Tq]. */
export function mixed(v: Value, { scores, mask }: Scores & Masked, { drop, weights }: Kept): readonly [Value, Value] {
  const [batch, heads, tq] = scores.shape as [number, number, number];
  const safe = masked(mask, scores, VERY_NEGATIVE);
  const top = reduceMax(safe, [3]);
  const exponentials = masked(mask, exp(sub(safe, top)), 0);
  const total = maximum(reduceSum(exponentials, [3]), scalar(v, TINY));
  let p = div(exponentials, total);
  if (drop !== undefined) p = drop(p);
  if (weights !== undefined) p = mul(p, weights);
  const out = transpose(matmul(cast(p, v.dtype), byHead(v, heads)), [0, 2, 1, 3]);
  return [out, reshape(add(top, log(total)), [batch, heads, tq])];
}

/** What the backward pass of an attention has. */
export interface Mixed {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly out: Value;
  readonly lse: Value;
  /** Gradient of `out`. */
  readonly g: Value;
}

/** Gradients of q, k and v, and f32 [batch, heads, Tq, Tk] those of the scores before the mask and of the weights (where there are any). */
export function mixedGradients(
  { q, k, v, out, lse, g }: Mixed,
  { scores, capSlope, mask }: Scores & Masked,
  attrs: Attributes,
  { drop = (x) => x, weights }: Kept,
): { dq: Value; dk: Value; dv: Value; dScores: Value; dWeights?: Value } {
  const [batch, heads, tq] = scores.shape as [number, number, number];
  const kvHeads = k.shape[2]!;
  const logTotal = reshape(lse, [batch, heads, tq, 1]);
  // Masked scores are replaced before the exponential: they may exceed the row's log-sum-exp and overflow.
  const p = masked(mask, exp(sub(masked(mask, scores, VERY_NEGATIVE), logTotal)), 0);
  const dy = transpose(g, [0, 2, 1, 3]);
  const kept = weights === undefined ? drop(p) : mul(drop(p), weights);
  const dv = matmul(cast(kept, v.dtype), dy, { transposeA: true });
  const dKept = drop(matmul(dy, byHead(v, heads), { transposeB: true, out: 'f32' }));
  const dp = weights === undefined ? dKept : mul(dKept, weights);
  // Σ_j p·dp = dy·out, row by row.
  const delta = reduceSum(mul(cast(dy, 'f32'), cast(transpose(out, [0, 2, 1, 3]), 'f32')), [3]);
  const dScores = mul(p, sub(dp, delta));
  let dRaw = mul(dScores, scalar(q, attrs.scale as number));
  if (capSlope) dRaw = mul(dRaw, capSlope);
  const raw = cast(dRaw, q.dtype);
  const dq = transpose(matmul(raw, byHead(k, heads)), [0, 2, 1, 3]);
  const dk = matmul(raw, byHead(q, heads), { transposeA: true });
  const all = { dq, dk: fromHeads(dk, kvHeads), dv: fromHeads(dv, kvHeads), dScores };
  return weights === undefined ? all : { ...all, dWeights: mul(p, dKept) };
}

/** f32 [heads]: gradient of the slopes of the distance bias. */
export function slopeGradient(dScores: Value, distance: Value): Value {
  const heads = dScores.shape[1]!;
  return reshape(sumTo(neg(mul(dScores, distance)), [1, heads, 1, 1]), [heads]);
}
