/** Attention and its gradients in double precision, for dense and for sparse kernels: what a query sees is a function. */
import { uniformAt } from './reference.ts';

export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly tq: number;
  readonly tk: number;
  readonly d: number;
  readonly dvalue: number;
  readonly softcap: number;
  readonly dropout: number;
}

type Numbers = ArrayLike<number>;

/** Arrays as [batch, length, heads, size], contiguous. */
export interface AttentionGiven {
  readonly q: Numbers;
  readonly k: Numbers;
  readonly v: Numbers;
  readonly dout: Numbers;
  /** By head; none unless given. */
  readonly slopes?: Numbers | undefined;
  /** Of dropout: key low, key high, step, micro. */
  readonly key: readonly number[];
  readonly stream: number;
  /** Whether query i of a head sees key j. */
  sees(b: number, h: number, i: number, j: number): boolean;
  /** How far a score lies above its threshold, where a selection decides about the factor of the probability. */
  above?(b: number, h: number, i: number, j: number): number | undefined;
}

export type AttentionWanted = Record<
  'o' | 'lse' | 'gq' | 'gk' | 'gv' | 'dslopes' | 'dscores' | 'dthresholds',
  Float64Array
>;

export const attentionSizes = ({ batch, heads, kvheads, tq, tk, d, dvalue }: AttentionShape) => ({
  q: batch * tq * heads * d,
  k: batch * tk * kvheads * d,
  v: batch * tk * kvheads * dvalue,
  o: batch * tq * heads * dvalue,
  lse: batch * heads * tq,
});

/** Strides of contiguous arrays, as the kernels take them. */
export const attentionStrides = ({ heads, kvheads, tq, tk, d, dvalue }: AttentionShape) => ({
  sqb: tq * heads * d,
  sqt: heads * d,
  sqh: d,
  skb: tk * kvheads * d,
  skt: kvheads * d,
  skh: d,
  svb: tk * kvheads * dvalue,
  svt: kvheads * dvalue,
  svh: dvalue,
  sob: tq * heads * dvalue,
  sot: heads * dvalue,
  soh: dvalue,
});

export function attentionReference(s: AttentionShape, given: AttentionGiven): AttentionWanted {
  const { batch, heads, kvheads, tq, tk, d, dvalue } = s;
  const { q, k, v, dout } = given;
  const size = attentionSizes(s);
  const zeros = (n: number) => new Float64Array(n);
  const y: AttentionWanted = {
    o: zeros(size.o),
    lse: zeros(size.lse).fill(-Infinity),
    gq: zeros(size.q),
    gk: zeros(size.k),
    gv: zeros(size.v),
    dslopes: zeros(batch * heads),
    dscores: zeros(batch * heads * tk),
    dthresholds: zeros(batch * heads * tq),
  };
  const scale = 1 / Math.sqrt(d);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < tq; i++) {
        const hk = Math.floor(h / (heads / kvheads));
        const place = i + tk - tq;
        const qi = ((b * tq + i) * heads + h) * d;
        const oi = ((b * tq + i) * heads + h) * dvalue;
        const row = (b * heads + h) * tq + i;
        const keys: { j: number; x: number; cap: number; factor: number; smooth: boolean; keep: number }[] = [];
        for (let j = 0; j < tk; j++) {
          if (!given.sees(b, h, i, j)) continue;
          let x = 0;
          const kj = ((b * tk + j) * kvheads + hk) * d;
          for (let e = 0; e < d; e++) x += q[qi + e]! * k[kj + e]!;
          x *= scale;
          let cap = 1;
          if (s.softcap > 0) {
            const t = Math.tanh(x / s.softcap);
            [x, cap] = [s.softcap * t, 1 - t * t];
          }
          x -= (given.slopes?.[h] ?? 0) * (place - j);
          const above = given.above?.(b, h, i, j) ?? 1;
          const u = s.dropout > 0 ? uniformAt(row * tk + j, given.key, given.stream) : 1;
          keys.push({
            j,
            x,
            cap,
            factor: Math.min(1, Math.max(0, above)),
            smooth: above > 0 && above < 1,
            keep: u >= Math.fround(s.dropout) ? 1 / (1 - s.dropout) : 0,
          });
        }
        if (keys.length === 0) continue;
        const top = Math.max(...keys.map((key) => key.x));
        const total = keys.reduce((sum, key) => sum + Math.exp(key.x - top), 0);
        y.lse[row] = top + Math.log(total);
        let delta = 0;
        const moved = keys.map((key) => {
          const p = Math.exp(key.x - top) / total;
          const weight = p * key.keep * key.factor;
          const vj = ((b * tk + key.j) * kvheads + hk) * dvalue;
          let e = 0;
          for (let c = 0; c < dvalue; c++) {
            y.o[oi + c]! += weight * v[vj + c]!;
            y.gv[vj + c]! += weight * dout[oi + c]!;
            e += dout[oi + c]! * v[vj + c]!;
          }
          if (key.smooth) {
            y.dscores[(b * heads + h) * tk + key.j]! += p * key.keep * e;
            y.dthresholds[row]! -= p * key.keep * e;
          }
          delta += weight * e;
          return { p, e: e * key.keep * key.factor };
        });
        keys.forEach((key, n) => {
          const ds = moved[n]!.p * (moved[n]!.e - delta);
          y.dslopes[b * heads + h]! -= ds * (place - key.j);
          const dx = ds * key.cap * scale;
          const kj = ((b * tk + key.j) * kvheads + hk) * d;
          for (let e = 0; e < d; e++) {
            y.gq[qi + e]! += dx * k[kj + e]!;
            y.gk[kj + e]! += dx * q[qi + e]!;
          }
        });
      }
  return y;
}

/** Names of the patterns of sparse attention, in the order of their numbers. */
export const PATTERNS = ['all', 'local', 'strided', 'fixed'];

export interface SparseShape extends Omit<AttentionShape, 'tq' | 'tk'> {
  readonly t: number;
  readonly patterns: readonly string[];
  readonly block: number;
  readonly summary: number;
  readonly groups: number;
}

/** Whether the pattern of a head lets i see j. */
export function patternSees(
  { patterns, block, summary, groups }: SparseShape,
  h: number,
  i: number,
  j: number,
): boolean {
  const kind = patterns[h % patterns.length];
  if (kind === 'local') return i - j < block;
  if (kind === 'strided') return (i - j) % block === 0;
  if (kind === 'all') return true;
  const v = Math.floor(h / patterns.length) % groups;
  const place = j % block;
  const own = Math.floor(j / block) === Math.floor(i / block);
  return own || (place >= block - (v + 1) * summary && place < block - v * summary);
}

/** The patterns as the kernels take them. */
export const patternFields = ({ patterns, block, summary, groups }: SparseShape) => ({
  patterns: patterns.reduce((sum, name, turn) => sum + PATTERNS.indexOf(name) * 4 ** turn, 0),
  turns: patterns.length,
  block,
  summary,
  groups,
});

interface SelectionGiven {
  readonly scores: Numbers;
  readonly thresholds: Numbers;
  readonly expiry: Numbers;
}

/** What a sparse attention's query sees, and how its selection (if any) weighs that. */
export function sparseSight(
  s: SparseShape,
  visible: Numbers | undefined,
  starts: Numbers | undefined,
  selection: SelectionGiven | undefined,
): Pick<AttentionGiven, 'sees' | 'above'> {
  const { t } = s;
  return {
    sees: (b, h, i, j) =>
      j <= i &&
      j >= (starts?.[b * t + i] ?? 0) &&
      visible?.[b * t + j] !== 0 &&
      (patternSees(s, h, i, j) || (selection !== undefined && i < selection.expiry[b * t + j]!)),
    above: (b, h, i, j) =>
      selection === undefined || patternSees(s, h, i, j)
        ? undefined
        : selection.scores[b * t + j]! - selection.thresholds[b * t + i]!,
  };
}
