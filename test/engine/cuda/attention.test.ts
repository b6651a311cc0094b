import { describe, test } from 'vitest';
import { PATTERNS } from '../native/attentionReference.ts';
import { Random, seed } from '../native/harness.ts';
import { ALL_OPTIONS, checkAttention, DENSE, SPARSE } from './attentionCheck.ts';
import type { Dense, Sparse } from './attentionCheck.ts';
import { whyNoEmulator } from './emulator/build.ts';
import type { FloatType } from './harness.ts';

const why = whyNoEmulator();

/** Sizes that the kernels for tensor cores take, and some of which they fill only a part. */
const SIZES: readonly (readonly [d: number, dvalue: number])[] = [
  [32, 32],
  [16, 24],
  [64, 64],
  [40, 64],
  [48, 136],
  [128, 128],
  [72, 80],
  [256, 256],
  [136, 40],
];

const suffix = `on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`;
describe.skipIf(why !== undefined)(`attention ${suffix}`, { timeout: 120_000 }, () => {
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
    for (const type of types) await checkAttention({ ...DENSE, ...more }, type, 11);
  });

  // Catches fragments in a wrong order, tiles that are used before they have come, and columns beyond a head's size.
  test.each(SIZES)('tensor cores, heads of %i and %i', async (d, dvalue) => {
    const r = new Random(d * dvalue);
    for (const type of ['bf16', 'f16'] as const) {
      const shape = { ...DENSE, d, dvalue, tk: r.int(65, 170), batch: r.int(1, 2), kvheads: r.int(1, 2) };
      const tq = r.int(1, shape.tk);
      await checkAttention({ ...shape, tq, window: r.pick([0, 50]), causal: r.int(0, 1) }, type, d);
      await checkAttention({ ...shape, ...ALL_OPTIONS, tq, causal: r.int(0, 1), window: r.pick([0, 50]) }, type, d + 1);
    }
  });

  test('random odd shapes and options', async () => {
    const r = new Random(21);
    for (let n = 0; n < 6; n++) {
      const kvheads = r.int(1, 3);
      const tk = r.int(1, 150);
      await checkAttention(
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

describe.skipIf(why !== undefined)(`sparse attention ${suffix}`, { timeout: 120_000 }, () => {
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
    for (const type of types) await checkAttention({ ...SPARSE, ...more }, type, 12);
  });

  test('random odd shapes and options', async () => {
    const r = new Random(22);
    for (let n = 0; n < 6; n++) {
      const kvheads = r.int(1, 2);
      const selected = r.uniform() < 0.4;
      const block = r.int(1, 130);
      const summary = r.int(1, Math.min(block, 9));
      await checkAttention(
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
