/** Attention and sparse attention on the emulated device against double precision. */
import { describe, test } from 'vitest';
import { expectClose, Random, seed } from '../native/harness.ts';
import {
  attentionReference,
  attentionSizes,
  attentionStrides,
  patternFields,
  PATTERNS,
  sparseSight,
} from '../native/attentionReference.ts';
import type { AttentionGiven, AttentionShape, SparseShape } from '../native/attentionReference.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { arrayOf, numbersOf, runKernel } from './harness.ts';
import type { FloatType, Given } from './harness.ts';

const why = whyNoEmulator();
const KEY = [123456789, 987654321, 17, 3];

interface Options {
  slopes?: boolean;
  /** Hide some keys. */
  mask?: boolean;
  /** Several documents in a row. */
  starts?: boolean;
}
interface Dense extends AttentionShape, Options {
  causal: number;
  window: number;
}
interface Sparse extends SparseShape, Options {
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
async function check(shape: Dense | Sparse, type: FloatType, salt: number): Promise<void> {
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
const DENSE: Dense = { ...BOTH, tq: 40, tk: 40, causal: 1, window: 0 };
const SPARSE: Sparse = { ...BOTH, heads: 1, kvheads: 1, t: 200, patterns: ['fixed'], block: 32, summary: 4, groups: 1 };
const ALL_OPTIONS = { softcap: 3, dropout: 0.2, slopes: true, mask: true, starts: true };

/** Sizes that the kernels for tensor cores take, and some of which they fill only a part. */
const SIZES: readonly (readonly [d: number, dvalue: number])[] = [
  [32, 32],
  [16, 24],
  [64, 64],
  [40, 64],
  [48, 136],
  [128, 128],
  [72, 80],
];

const suffix = `on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`;
describe.skipIf(why !== undefined)(`attention ${suffix}`, { timeout: 60_000 }, () => {
  const types: readonly FloatType[] = ['f32', 'bf16', 'f16'];
  const cases: [string, Partial<Dense>][] = [
    ['several tiles', { tq: 150, tk: 150, heads: 1, kvheads: 1, d: 9, dvalue: 7 }],
    ['bidirectional', { causal: 0, tq: 61, tk: 81 }],
    ['window', { tq: 201, tk: 201, heads: 1, kvheads: 1, d: 8, dvalue: 8, window: 33 }],
    ['padding, some rows without keys', { batch: 2, mask: true, tq: 33, tk: 33 }],
    ['grouped queries', { batch: 2, heads: 6, kvheads: 2, d: 12, dvalue: 20 }],
    ['queries after a cache', { tq: 5, tk: 71 }],
    ['wide values', { heads: 1, kvheads: 1, d: 48, dvalue: 384, tq: 70, tk: 70, slopes: true }],
    ['everything', { ...ALL_OPTIONS, batch: 2, heads: 4, tq: 67, tk: 75, d: 33, dvalue: 70 }],
  ];
  // Catches wrong tile edges, masks off by one, mixed heads, random numbers at another place, and any of the five backward products.
  test.each(cases)('%s', async (_, more) => {
    for (const type of types) await check({ ...DENSE, ...more }, type, 11);
  });

  // Catches fragments in a wrong order, tiles that are used before they have come, and columns beyond a head's size.
  test.each(SIZES)('tensor cores, heads of %i and %i', async (d, dvalue) => {
    const r = new Random(d * dvalue);
    for (const type of ['bf16', 'f16'] as const) {
      const shape = { ...DENSE, d, dvalue, tk: r.int(65, 170), batch: r.int(1, 2), kvheads: r.int(1, 2) };
      const tq = r.int(1, shape.tk);
      await check({ ...shape, tq, window: r.pick([0, 50]), causal: r.int(0, 1) }, type, d);
      await check({ ...shape, ...ALL_OPTIONS, tq, causal: r.int(0, 1), window: r.pick([0, 50]) }, type, d + 1);
    }
  });

  test('random odd shapes and options', async () => {
    const r = new Random(21);
    for (let n = 0; n < 6; n++) {
      const kvheads = r.int(1, 3);
      const tk = r.int(1, 150);
      await check(
        {
          batch: r.int(1, 2),
          heads: kvheads * r.int(1, 2),
          kvheads,
          tk,
          tq: r.int(1, tk),
          d: r.int(1, 40),
          dvalue: r.int(1, 140),
          causal: r.int(0, 1),
          window: r.pick([0, 7, 70]),
          softcap: r.pick([0, 3]),
          dropout: r.pick([0, 0.2]),
          slopes: r.uniform() < 0.5,
          mask: r.uniform() < 0.5,
          starts: r.uniform() < 0.5,
        },
        r.pick(types),
        50 + n,
      );
    }
  });
});

describe.skipIf(why !== undefined)(`sparse attention ${suffix}`, { timeout: 60_000 }, () => {
  const types: readonly FloatType[] = ['f32', 'bf16', 'f16'];
  const cases: [string, Partial<Sparse>][] = [
    ['local windows', { patterns: ['local'], block: 70 }],
    ['strides longer than a tile', { patterns: ['strided'], block: 91, t: 300 }],
    ['fixed, columns by head', { heads: 4, kvheads: 2, summary: 3, groups: 3, block: 100, t: 231 }],
    ['heads of four patterns', { heads: 8, kvheads: 2, patterns: PATTERNS, t: 150, d: 5, dvalue: 11 }],
    ['a selection', { patterns: ['local'], block: 9, selected: true, heads: 2, kvheads: 1, ...ALL_OPTIONS }],
  ];
  // Catches tiles that are skipped though a query sees one of their keys, and gradients of a selection added to another token.
  test.each(cases)('%s', async (_, more) => {
    for (const type of types) await check({ ...SPARSE, ...more }, type, 12);
  });

  test('random odd shapes and options', async () => {
    const r = new Random(22);
    for (let n = 0; n < 6; n++) {
      const kvheads = r.int(1, 2);
      const selected = r.uniform() < 0.4;
      const block = r.int(1, 130);
      const summary = r.int(1, Math.min(block, 9));
      await check(
        {
          batch: r.int(1, 2),
          heads: kvheads * r.int(1, 3),
          kvheads,
          t: r.int(1, 220),
          d: r.int(1, 20),
          dvalue: r.int(1, 20),
          block,
          summary,
          groups: r.int(1, Math.floor(block / summary)),
          selected,
          patterns: selected ? ['local'] : Array.from({ length: r.int(1, 3) }, () => r.pick(PATTERNS)),
          softcap: r.pick([0, 3]),
          dropout: r.pick([0, 0.2]),
          slopes: r.uniform() < 0.5,
          mask: r.uniform() < 0.5,
          starts: r.uniform() < 0.5,
        },
        r.pick(types),
        50 + n,
      );
    }
  });
});
