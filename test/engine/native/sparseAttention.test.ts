/** Attention over few keys against double precision, over lengths of many blocks and lists, at every level. */
import { afterEach, describe, expect, test } from 'vitest';
import { NULL } from '../../../main/engine/native/addon.ts';
import { Arena, call, expectClose, levels, native, Random, seed, skipped } from './harness.ts';
import type { Type } from './harness.ts';
import { uniformAt } from './reference.ts';

const PATTERNS = ['all', 'local', 'strided', 'fixed'];

interface Shape {
  batch: number;
  heads: number;
  kvheads: number;
  t: number;
  d: number;
  dvalue: number;
  patterns: readonly string[];
  block: number;
  summary: number;
  groups: number;
  softcap: number;
  dropout: number;
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

/** Whether the pattern of a head lets i see j. */
function sees({ patterns, block, summary, groups }: Shape, h: number, i: number, j: number): boolean {
  const kind = patterns[h % patterns.length];
  if (kind === 'local') return i - j < block;
  if (kind === 'strided') return (i - j) % block === 0;
  if (kind === 'all') return true;
  const v = Math.floor(h / patterns.length) % groups;
  const place = j % block;
  const own = Math.floor(j / block) === Math.floor(i / block);
  return own || (place >= block - (v + 1) * summary && place < block - v * summary);
}

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
      patterns: s.patterns.reduce((sum, name, turn) => sum + PATTERNS.indexOf(name) * 4 ** turn, 0),
      turns: s.patterns.length,
      block: s.block,
      summary: s.summary,
      groups: s.groups,
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

  function reference(s: Shape, x: ReturnType<typeof inputs>) {
    const { batch, heads, kvheads, t, d, dvalue } = s;
    const zeros = (n: number) => new Float64Array(n);
    const y = {
      o: zeros(batch * t * heads * dvalue),
      lse: zeros(batch * heads * t),
      gq: zeros(x.q.length),
      gk: zeros(x.k.length),
      gv: zeros(x.v.length),
      dslopes: zeros(batch * heads),
      dscores: zeros(batch * heads * t),
      dthresholds: zeros(batch * heads * t),
    };
    const scale = 1 / Math.sqrt(d);
    for (let b = 0; b < batch; b++)
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < t; i++) {
          const hk = Math.floor(h / (heads / kvheads));
          const qi = ((b * t + i) * heads + h) * d;
          const oi = ((b * t + i) * heads + h) * dvalue;
          const row = (b * heads + h) * t;
          const keys: { j: number; x: number; cap: number; factor: number; smooth: boolean; keep: number }[] = [];
          for (let j = 0; j <= i; j++) {
            const near = sees(s, h, i, j);
            if (!(near || (s.selected && i < x.expiry[b * t + j]!)) || (s.mask && x.visible[b * t + j] === 0)) continue;
            let score = 0;
            const kj = ((b * t + j) * kvheads + hk) * d;
            for (let e = 0; e < d; e++) score += x.q.values[qi + e]! * x.k.values[kj + e]!;
            score *= scale;
            let cap = 1;
            if (s.softcap > 0) {
              const tanh = Math.tanh(score / s.softcap);
              [score, cap] = [s.softcap * tanh, 1 - tanh * tanh];
            }
            if (s.slopes) score -= x.slopes.values[h]! * (i - j);
            const above = x.scores.values[b * t + j]! - x.thresholds.values[b * t + i]!;
            const soft = s.selected && !near;
            const u = s.dropout > 0 ? uniformAt((row + i) * t + j, KEY, 5) : 1;
            keys.push({
              j,
              x: score,
              cap,
              factor: soft ? Math.min(1, Math.max(0, above)) : 1,
              smooth: soft && above > 0 && above < 1,
              keep: s.dropout === 0 ? 1 : u >= Math.fround(s.dropout) ? 1 / (1 - s.dropout) : 0,
            });
          }
          const top = Math.max(...keys.map((key) => key.x));
          const total = keys.reduce((sum, key) => sum + Math.exp(key.x - top), 0);
          y.lse[row + i] = keys.length === 0 ? -Infinity : top + Math.log(total);
          let delta = 0;
          const moved = keys.map((key) => {
            const p = Math.exp(key.x - top) / total;
            const vj = ((b * t + key.j) * kvheads + hk) * dvalue;
            let e = 0;
            for (let c = 0; c < dvalue; c++) {
              y.o[oi + c]! += p * key.keep * key.factor * x.v.values[vj + c]!;
              y.gv[vj + c]! += p * key.keep * key.factor * x.dout.values[oi + c]!;
              e += x.dout.values[oi + c]! * x.v.values[vj + c]!;
            }
            if (key.smooth) {
              y.dscores[row + key.j]! += p * key.keep * e;
              y.dthresholds[row + i]! -= p * key.keep * e;
            }
            delta += p * key.keep * key.factor * e;
            return { p, e: e * key.keep * key.factor };
          });
          keys.forEach((key, n) => {
            const ds = moved[n]!.p * (moved[n]!.e - delta);
            y.dslopes[b * heads + h]! -= ds * (i - key.j);
            const dx = ds * key.cap * scale;
            const kj = ((b * t + key.j) * kvheads + hk) * d;
            for (let e = 0; e < d; e++) {
              y.gq[qi + e]! += dx * x.k.values[kj + e]!;
              y.gk[kj + e]! += dx * x.q.values[qi + e]!;
            }
          });
        }
    return y;
  }

  function check(s: Shape, type: Type, compute: Type, salt: number) {
    const x = inputs(s, type, salt);
    const got = run(s, type, x, compute, 2);
    const want = reference(s, x);
    const low = type === 'bf16' || compute === 'bf16';
    const [forward, backward] = low ? [2e-2, 5e-2] : [1e-5, 2e-5];
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
