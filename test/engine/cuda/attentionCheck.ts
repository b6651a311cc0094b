/** Attention and sparse attention on the emulated device against double precision. */
import { expectClose, Random } from '../native/harness.ts';
import {
  attentionReference,
  attentionSizes,
  attentionStrides,
  patternFields,
  sparseSight,
} from '../native/attentionReference.ts';
import type { AttentionGiven, AttentionShape, SparseShape } from '../native/attentionReference.ts';
import { arrayOf, numbersOf, runKernel } from './harness.ts';
import type { FloatType, Given } from './harness.ts';

const KEY = [123456789, 987654321, 17, 3];

interface Options {
  slopes?: boolean;
  /** Hide some keys. */
  mask?: boolean;
  /** Several documents in a row. */
  starts?: boolean;
}
export interface Dense extends AttentionShape, Options {
  causal: number;
  window: number;
}
export interface Sparse extends SparseShape, Options {
  selected?: boolean;
}

const BOUNDS: Readonly<Record<FloatType, readonly [forward: number, backward: number, lse: number]>> = {
  f32: [1e-5, 3e-5, 1e-5],
  bf16: [2e-2, 4e-2, 1e-3],
  f16: [4e-3, 8e-3, 1e-3],
};

/** First keys that queries may see: a few documents, side by side. */
function documents(random: Random, batch: number, tq: number, tk: number): Int32Array {
  const starts = new Int32Array(batch * tq);
  for (let b = 0; b < batch; b++)
    for (let i = 0, from = 0; i < tq; i++) {
      if (random.uniform() < 0.1) from = i + tk - tq;
      starts[b * tq + i] = from;
    }
  return starts;
}

/** Runs a call and its gradient and compares everything that they give. */
export async function checkAttention(shape: Dense | Sparse, type: FloatType, salt: number): Promise<void> {
  const random = new Random(salt);
  const sparse = 't' in shape;
  const s: AttentionShape = sparse ? { ...shape, tq: shape.t, tk: shape.t } : shape;
  const size = attentionSizes(s);
  const { batch, heads, tq, tk, d, dvalue } = s;
  const floats = (n: number, scale: number) => arrayOf(type, random.array(n, scale));
  const empty = (n: number) => arrayOf(type, new Float32Array(n).fill(NaN));
  const sums = (n: number) => new Float32Array(n).fill(NaN);
  const [q, k, v] = [floats(size.q, 2), floats(size.k, 2), floats(size.v, 1)];
  const dout = floats(size.o, 1);
  const slopes = shape.slopes ? random.array(heads).map((x) => Math.abs(x) / 8) : null;
  const visible = Uint8Array.from({ length: batch * tk }, () => (random.uniform() < 0.8 ? 1 : 0));
  const starts = shape.starts ? documents(random, batch, tq, tk) : null;
  const selected = sparse && shape.selected === true;
  const scores = random.array(batch * tk, 2);
  const thresholds = random.array(batch * tq, 1);
  const expiry = Int32Array.from({ length: batch * tk }, (_, at) => random.int(at % tk, tk));
  const [o, lse] = [empty(size.o), sums(size.lse)];
  const call: Record<string, Given> = {
    q,
    k,
    v,
    o,
    lse,
    slopes,
    starts,
    keymask: shape.mask ? visible : null,
    seed: Uint32Array.from(KEY),
    stream: 5,
    type,
    compute: type === 'f32' ? 'f32' : type,
    batch,
    heads,
    kvheads: s.kvheads,
    d,
    dvalue,
    softcap: s.softcap,
    dropout: s.dropout,
    scale: 1 / Math.sqrt(d),
    ...(sparse
      ? {
          t: shape.t,
          ...patternFields(shape),
          scores: selected ? scores : null,
          thresholds: selected ? thresholds : null,
          expiry: selected ? expiry : null,
        }
      : { ...attentionStrides(s), tq, tk, causal: shape.causal, window: shape.window }),
  };
  const kernel = sparse ? 'sparse_attention' : 'attention';
  await runKernel(kernel, call);
  const [gq, gk, gv] = [empty(size.q), empty(size.k), empty(size.v)];
  const [dslopes, dscores, dthresholds] = [sums(batch * heads), sums(batch * heads * tk), sums(batch * heads * tq)];
  await runKernel(`${kernel}_backward`, {
    ...call,
    dout,
    gq,
    gk,
    gv,
    dslopes: slopes && dslopes,
    ...(sparse ? { dscores: selected ? dscores : null, dthresholds: selected ? dthresholds : null } : {}),
  });

  const sight: Pick<AttentionGiven, 'sees' | 'above'> = sparse
    ? sparseSight(
        shape,
        shape.mask ? visible : undefined,
        starts ?? undefined,
        selected ? { scores, thresholds, expiry } : undefined,
      )
    : {
        sees: (b, _, i, j) =>
          (!shape.causal || j <= i + tk - tq) &&
          (!shape.window || j > i + tk - tq - shape.window) &&
          j >= (starts?.[b * tq + i] ?? 0) &&
          (!shape.mask || visible[b * tk + j] === 1),
      };
  const numbers = (array: Float32Array | Uint16Array) => numbersOf(type, array);
  const want = attentionReference(s, {
    q: numbers(q),
    k: numbers(k),
    v: numbers(v),
    dout: numbers(dout),
    slopes: slopes ?? undefined,
    key: KEY,
    stream: 5,
    ...sight,
  });
  const [forward, backward, sum] = BOUNDS[type];
  const what = `${kernel} ${type} ${JSON.stringify(shape)} salt ${salt}`;
  expectClose(numbers(o), want.o, forward, 0.5, `${what} o`);
  expectClose(lse, want.lse, sum, 1, `${what} lse`);
  expectClose(numbers(gv), want.gv, backward, 1, `${what} dv`);
  expectClose(numbers(gq), want.gq, backward, 1, `${what} dq`);
  expectClose(numbers(gk), want.gk, backward, 1, `${what} dk`);
  if (slopes) expectClose(dslopes, want.dslopes, backward * 2, tk, `${what} dslopes`);
  if (!selected) return;
  expectClose(dscores, want.dscores, backward, 1, `${what} dscores`);
  expectClose(dthresholds, want.dthresholds, backward, 1, `${what} dthresholds`);
}

const BOTH = { batch: 1, heads: 2, kvheads: 2, d: 16, dvalue: 16, softcap: 0, dropout: 0 };
export const DENSE: Dense = { ...BOTH, tq: 40, tk: 40, causal: 1, window: 0 };
export const SPARSE: Sparse = {
  ...BOTH,
  heads: 1,
  kvheads: 1,
  t: 200,
  patterns: ['fixed'],
  block: 32,
  summary: 4,
  groups: 1,
};
export const ALL_OPTIONS = { softcap: 3, dropout: 0.2, slopes: true, mask: true, starts: true };
