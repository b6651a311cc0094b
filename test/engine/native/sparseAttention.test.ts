/** Attention over few keys against double precision, over lengths of many blocks and lists, at every level. */
import { afterEach, describe, expect, test } from 'vitest';
import { NULL } from '../../../main/engine/native/addon.ts';
import { attentionReference, patternFields, PATTERNS, sparseSight } from './attentionReference.ts';
import type { SparseShape } from './attentionReference.ts';
import { Arena, call, expectClose, levels, native, Random, seed, skipped } from './harness.ts';
import type { Type } from './harness.ts';

interface Shape extends SparseShape {
  slopes: boolean;
  mask: boolean;
  selected: boolean;
}

const PLAIN: Shape = {
  batch: 1,
  heads: 1,
  kvheads: 1,
  t: 500,
  d: 8,
  dvalue: 8,
  patterns: ['fixed'],
  block: 32,
  summary: 4,
  groups: 1,
  softcap: 0,
  dropout: 0,
  slopes: false,
  mask: false,
  selected: false,
};

const KEY = [123456789, 987654321, 17, 3];

describe.skipIf(native === undefined).each(levels)(`sparse attention at level %s (seed ${seed})${skipped}`, (level) => {
  const arena = new Arena();
  afterEach(() => arena.clear());

  function inputs(s: Shape, type: Type, salt: number) {
    const r = new Random(salt);
    const { batch, heads, kvheads, t, d, dvalue } = s;
    const sizes = { q: batch * t * heads * d, k: batch * t * kvheads * d, v: batch * t * kvheads * dvalue };
    const tokens = batch * t;
    return {
      q: arena.put(r.array(sizes.q, 2), type),
      k: arena.put(r.array(sizes.k, 2), type),
      v: arena.put(r.array(sizes.v), type),
      dout: arena.put(r.array(batch * t * heads * dvalue), type),
      slopes: arena.put(r.array(heads).map((x) => Math.abs(x) / 20)),
      visible: Uint8Array.from({ length: tokens }, () => (r.uniform() < 0.8 ? 1 : 0)),
      scores: arena.put(r.array(tokens, 2)),
      thresholds: arena.put(r.array(tokens, 1)),
      expiry: Int32Array.from({ length: tokens }, (_, at) => r.int(at % t, t)),
    };
  }

  function run(s: Shape, type: Type, x: ReturnType<typeof inputs>, compute: Type, threads: number) {
    native.setLevel(level);
    native.setThreads(threads);
    const { batch, heads, kvheads, t, d, dvalue } = s;
    const made = {
      o: arena.empty(batch * t * heads * dvalue, type),
      lse: arena.empty(batch * heads * t),
      gq: arena.empty(x.q.length, type),
      gk: arena.empty(x.k.length, type),
      gv: arena.empty(x.v.length, type),
      dslopes: arena.empty(batch * heads),
      dscores: arena.empty(batch * heads * t),
      dthresholds: arena.empty(batch * heads * t),
    };
    const args = {
      q: x.q.p,
      k: x.k.p,
      v: x.v.p,
      o: made.o.p,
      lse: made.lse.p,
      slopes: s.slopes ? x.slopes.p : NULL,
      keymask: s.mask ? arena.raw(x.visible).p : NULL,
      seed: arena.raw(Uint32Array.from(KEY)).p,
      scores: s.selected ? x.scores.p : NULL,
      thresholds: s.selected ? x.thresholds.p : NULL,
      expiry: s.selected ? arena.raw(new Uint8Array(x.expiry.buffer)).p : NULL,
      batch,
      heads,
      kvheads,
      t,
      d,
      dvalue,
      ...patternFields(s),
      type: x.q.type,
      compute,
      stream: 5,
      scale: 1 / Math.sqrt(d),
      softcap: s.softcap,
      dropout: s.dropout,
    };
    call('sparse_attention', args);
    call('sparse_attention_backward', {
      ...args,
      dout: x.dout.p,
      gq: made.gq.p,
      gk: made.gk.p,
      gv: made.gv.p,
      dslopes: s.slopes ? made.dslopes.p : NULL,
      dscores: s.selected ? made.dscores.p : NULL,
      dthresholds: s.selected ? made.dthresholds.p : NULL,
    });
    return made;
  }

  const reference = (s: Shape, x: ReturnType<typeof inputs>) =>
    attentionReference(
      { ...s, tq: s.t, tk: s.t },
      {
        q: x.q.values,
        k: x.k.values,
        v: x.v.values,
        dout: x.dout.values,
        slopes: s.slopes ? x.slopes.values : undefined,
        key: KEY,
        stream: 5,
        ...sparseSight(
          s,
          s.mask ? x.visible : undefined,
          undefined,
          s.selected ? { scores: x.scores.values, thresholds: x.thresholds.values, expiry: x.expiry } : undefined,
        ),
      },
    );

  function check(s: Shape, type: Type, compute: Type, salt: number) {
    const x = inputs(s, type, salt);
    const got = run(s, type, x, compute, 2);
    const want = reference(s, x);
    const low = compute === 'bf16' ? compute : type;
    const [forward, backward] = { f32: [1e-5, 2e-5], bf16: [2e-2, 5e-2], f16: [2e-3, 5e-3] }[low] as [number, number];
    const close = (name: keyof typeof want, tolerance: number, scale: number) =>
      expectClose(arena.get(got[name]), want[name], tolerance, scale, `${type} ${JSON.stringify(s)} ${name}`);
    close('o', forward, 0.5);
    close('lse', compute === 'bf16' ? 2e-3 : 1e-5, 1);
    close('gv', backward, 1);
    close('gq', backward, 1);
    close('gk', backward, 1);
    if (s.slopes) close('dslopes', 2 * backward, s.t);
    if (s.selected) {
      close('dscores', backward, 1);
      close('dthresholds', backward, 1);
    }
    arena.clear();
  }

  const cases: [string, Partial<Shape>][] = [
    ['all', { patterns: ['all'], t: 301 }],
    ['local windows', { patterns: ['local'], block: 70 }],
    ['strides longer than blocks of queries', { patterns: ['strided'], block: 61 }],
    ['strides with several wide blocks', { patterns: ['strided'], block: 2, t: 611 }],
    [
      'several short classes in one block of queries, the last of them fewer and shorter',
      { patterns: ['strided'], block: 90, t: 301, batch: 2, mask: true, slopes: true, dropout: 0.2, softcap: 3 },
    ],
    ['fixed, columns by head', { heads: 4, kvheads: 2, summary: 3, groups: 3, t: 331 }],
    ['heads of four patterns', { heads: 8, kvheads: 2, patterns: PATTERNS, t: 270, d: 5, dvalue: 11 }],
    ['padding', { mask: true, batch: 2, t: 260 }],
    ['a selection', { patterns: ['local'], block: 9, selected: true, t: 290, heads: 2, kvheads: 1 }],
  ];
  // Catches a list that misses a key, a run of panels cut short, classes mixed up, gradients added to another row.
  test.each(cases)('%s', (_, more) => {
    check({ ...PLAIN, ...more }, 'f32', 'f32', 11);
    check({ ...PLAIN, ...more, t: 130 }, 'bf16', 'bf16', 12);
    check({ ...PLAIN, ...more, t: 99 }, 'f16', 'f16', 13);
  });

  test('random odd shapes with everything on', () => {
    const r = new Random(21);
    for (let i = 0; i < 5; i++) {
      const kvheads = r.int(1, 2);
      const selected = r.uniform() < 0.4;
      const block = r.int(1, 80);
      const summary = r.int(1, Math.min(block, 9));
      const shape: Shape = {
        batch: r.int(1, 2),
        heads: kvheads * r.int(1, 3),
        kvheads,
        t: r.int(1, 240),
        d: r.int(1, 20),
        dvalue: r.int(1, 20),
        block,
        summary,
        groups: r.int(1, Math.floor(block / summary)),
        patterns: selected ? ['local'] : Array.from({ length: r.int(1, 3) }, () => r.pick(PATTERNS)),
        softcap: r.pick([0, 3]),
        dropout: r.pick([0, 0.2]),
        slopes: r.uniform() < 0.5,
        mask: r.uniform() < 0.5,
        selected,
      };
      check(shape, r.pick(['f32', 'bf16'] as const), 'f32', 50 + i);
    }
  });

  // Catches results that depend on which thread took which part.
  test('gives the same bits for any number of threads', () => {
    const s: Shape = { ...PLAIN, heads: 3, kvheads: 3, patterns: ['fixed', 'strided', 'local'], slopes: true, t: 300 };
    const x = inputs(s, 'f32', 31);
    const [one, three] = [1, 3].map((threads) => run(s, 'f32', x, 'f32', threads));
    for (const name of ['o', 'lse', 'gq', 'gk', 'gv', 'dslopes'] as const)
      expect(arena.get(one![name]), name).toEqual(arena.get(three![name]));
  });
});
