import { afterEach, describe, expect, test } from 'vitest';
import { NULL } from '../../../main/engine/native/addon.ts';
import { attentionReference, attentionSizes, attentionStrides } from './attentionReference.ts';
import type { AttentionShape } from './attentionReference.ts';
import { Arena, Random, call, expectClose, levels, native, TYPES, skipped } from './harness.ts';
import type { Type } from './harness.ts';

interface Shape extends AttentionShape {
  causal: number;
  window: number;
  slopes: boolean;
  mask: boolean;
}

describe.skipIf(native === undefined).each(levels)(`attention at level %s${skipped}`, (level) => {
  const arena = new Arena();
  afterEach(() => arena.clear());

  function check(s: Shape, type: Type, compute: Type, salt: number) {
    native.setLevel(level);
    native.setThreads(2);
    const r = new Random(salt);
    const { batch, heads, kvheads, tq, tk, d, dvalue } = s;
    const scale = 1 / Math.sqrt(d);
    const { q: nq, k: nk, v: nv, o: no } = attentionSizes(s);
    const q = arena.put(r.array(nq, 2), type);
    const k = arena.put(r.array(nk, 2), type);
    const v = arena.put(r.array(nv), type);
    const dout = arena.put(r.array(no), type);
    const slopes = arena.put(r.array(heads).map(Math.abs));
    const visible = Uint8Array.from({ length: batch * tk }, () => (r.uniform() < 0.8 ? 1 : 0));
    const key = [123456789, 987654321, 17, 3];
    const args = {
      q: q.p,
      k: k.p,
      v: v.p,
      slopes: s.slopes ? slopes.p : NULL,
      keymask: s.mask ? arena.raw(visible).p : NULL,
      seed: arena.raw(Uint32Array.from(key)).p,
      batch,
      heads,
      kvheads,
      tq,
      tk,
      d,
      dvalue,
      ...attentionStrides(s),
      causal: s.causal,
      window: s.window,
      type: q.type,
      compute,
      stream: 5,
      scale,
      softcap: s.softcap,
      dropout: s.dropout,
    };
    const o = arena.empty(no, type);
    const lse = arena.empty(batch * heads * tq);
    call('attention', { ...args, o: o.p, lse: lse.p });
    const gq = arena.empty(nq, type);
    const gk = arena.empty(nk, type);
    const gv = arena.empty(nv, type);
    const dslopes = arena.empty(batch * heads);
    const out = { gq: gq.p, gk: gk.p, gv: gv.p, dslopes: s.slopes ? dslopes.p : NULL };
    call('attention_backward', { ...args, ...out, o: o.p, lse: lse.p, dout: dout.p });

    const want = attentionReference(s, {
      q: q.values,
      k: k.values,
      v: v.values,
      dout: dout.values,
      slopes: s.slopes ? slopes.values : undefined,
      key,
      stream: 5,
      sees: (b, _, i, j) =>
        (!s.causal || j <= i + tk - tq) &&
        (!s.window || j > i + tk - tq - s.window) &&
        (!s.mask || visible[b * tk + j] === 1),
    });
    const what = `${type} compute ${compute} ${JSON.stringify(s)}`;
    const low = compute === 'bf16' ? compute : type;
    // f32: rounding of scores of size up to about 4 d; bf16: probabilities and score gradients are rounded to 8 bits; f16: only results are.
    const forward = { f32: 1e-5, bf16: 2e-2, f16: 2e-3 }[low];
    const backward = { f32: 2e-5, bf16: 4e-2, f16: 4e-3 }[low];
    expectClose(arena.get(o), want.o, forward, 0.5, `${what} o`);
    expectClose(arena.get(lse), want.lse, compute === 'bf16' ? 1e-3 : 1e-5, 1, `${what} lse`);
    expectClose(arena.get(gv), want.gv, backward, 1, `${what} dv`);
    expectClose(arena.get(gq), want.gq, backward, 1, `${what} dq`);
    expectClose(arena.get(gk), want.gk, backward, 1, `${what} dk`);
    if (s.slopes) expectClose(arena.get(dslopes), want.dslopes, backward * 2, tk, `${what} dslopes`);
    arena.clear();
  }

  const plain: Shape = {
    batch: 1,
    heads: 2,
    kvheads: 2,
    tq: 40,
    tk: 40,
    d: 16,
    dvalue: 16,
    causal: 1,
    window: 0,
    softcap: 0,
    dropout: 0,
    slopes: false,
    mask: false,
  };
  // Catches wrong block edges, masks off by one, head mixing, and any of the five backward products.
  const cases: [string, Shape][] = [
    ['plain causal', plain],
    ['several blocks', { ...plain, tq: 259, tk: 259, heads: 1, kvheads: 1, d: 9, dvalue: 7 }],
    ['bidirectional', { ...plain, causal: 0, tq: 61, tk: 61 }],
    ['window', { ...plain, tq: 301, tk: 301, heads: 1, kvheads: 1, d: 8, dvalue: 8, window: 33 }],
    ['padding mask, some rows without keys', { ...plain, batch: 2, mask: true, tq: 33, tk: 33 }],
    ['grouped queries', { ...plain, batch: 2, heads: 6, kvheads: 2, d: 12, dvalue: 20 }],
    ['distance bias', { ...plain, slopes: true, heads: 3, kvheads: 3 }],
    ['soft-cap', { ...plain, softcap: 2.5 }],
    ['dropout', { ...plain, dropout: 0.3, tq: 29, tk: 29 }],
    ['queries after a cache', { ...plain, tq: 5, tk: 71 }],
    ['one head, wide values', { ...plain, heads: 1, kvheads: 1, d: 48, dvalue: 100, slopes: true }],
  ];
  test.each(cases)('%s', (_, shape) => {
    check(shape, 'f32', 'f32', 11);
    check(shape, 'bf16', 'bf16', 12);
    check(shape, 'f16', 'f16', 13);
  });

  test('random odd shapes with everything on', () => {
    const r = new Random(21);
    for (let i = 0; i < 6; i++) {
      const kvheads = r.int(1, 3);
      const tk = r.int(1, 90);
      const shape: Shape = {
        batch: r.int(1, 2),
        heads: kvheads * r.int(1, 2),
        kvheads,
        tk,
        tq: r.int(1, tk),
        d: r.int(1, 40),
        dvalue: r.int(1, 40),
        causal: r.int(0, 1),
        window: r.pick([0, 7, 50]),
        softcap: r.pick([0, 3]),
        dropout: r.pick([0, 0.2]),
        slopes: r.uniform() < 0.5,
        mask: r.uniform() < 0.5,
      };
      check(shape, r.pick(TYPES), 'f32', 50 + i);
    }
  });

  // Catches gradients that depend on which thread took which head.
  test('backward gives the same bits for any number of threads', () => {
    native.setLevel(level);
    const r = new Random(31);
    const [t, h, d] = [70, 4, 16];
    const n = t * h * d;
    const make = () => arena.put(r.array(n));
    const [q, k, v, dout] = [make(), make(), make(), make()];
    const strides = { sqt: h * d, sqh: d, skt: h * d, skh: d, svt: h * d, svh: d, sot: h * d, soh: d };
    const args = { q: q.p, k: k.p, v: v.p, heads: h, kvheads: h, tq: t, tk: t, d, dvalue: d, causal: 1, ...strides };
    const results = [1, 3].map((threads) => {
      native.setThreads(threads);
      const [o, lse, gq, gk, gv] = [n, h * t, n, n, n].map((size) => arena.empty(size)) as never as { p: number }[];
      call('attention', { ...args, o: o!.p, lse: lse!.p });
      call('attention_backward', {
        ...args,
        o: o!.p,
        lse: lse!.p,
        dout: dout.p,
        gq: gq!.p,
        gk: gk!.p,
        gv: gv!.p,
      });
      return [o, lse, gq, gk, gv].map((x) => arena.get(x as never));
    });
    for (let i = 0; i < 5; i++) {
      const differs = results[0]![i]!.findIndex((x, at) => x !== results[1]![i]![at]);
      expect(differs, `output ${i} differs at`).toBe(-1);
    }
  });
});
