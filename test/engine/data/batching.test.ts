import { describe, expect, test } from 'vitest';
import { batcher } from '../../../main/engine/data/batching/batcher.ts';
import { evaluationSet } from '../../../main/engine/data/batching/evaluation.ts';
import type { Batch } from '../../../main/engine/data/batching/layout.ts';
import type { BatchingMode } from '../../../main/engine/data/batching/modes.ts';
import { PackedRows } from '../../../main/engine/data/batching/packing.ts';
import type { EncodedSplit } from '../../../main/engine/data/dataset.ts';
import { ratioError } from '../../../main/engine/data/batching/units.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';

const EOS = 256;
const tokenizer = { ...byteTokenizer(), padId: EOS };
const random = (n: number) => Math.floor(Math.random() * n);

/** Documents of the given lengths. Token values are arbitrary bytes; positions are what the tests follow. */
function splitOf(lengths: readonly number[]): EncodedSplit {
  const tokens: number[] = [];
  const offsets = [0];
  for (const length of lengths) {
    for (let i = 0; i < length; i++) tokens.push(random(256));
    tokens.push(EOS);
    offsets.push(tokens.length);
  }
  const bytes = lengths.reduce((a, b) => a + b, 0);
  return { tokens: Uint16Array.from(tokens), offsets: Float64Array.from(offsets), bytes };
}

/** A stream whose tokens tell their position (no two windows look alike). */
function numbered(n: number): EncodedSplit {
  return { tokens: Int32Array.from({ length: n }, (_, i) => 1000 + i), offsets: Float64Array.of(0, n), bytes: n };
}

const randomLengths = () => Array.from({ length: 1 + random(12) }, () => 1 + random(40));
const dataset = (train: EncodedSplit) => ({ train, tokenizer });
const MODES: BatchingMode[] = ['random', 'shuffled', 'documents', 'packed'];

/** Rows of a batch as [inputs, targets, mask]. */
function rowsOf(batch: Batch, context: number) {
  return Array.from({ length: batch.inputs.length / context }, (_, r) => ({
    inputs: [...batch.inputs.subarray(r * context, (r + 1) * context)],
    targets: [...batch.targets.subarray(r * context, (r + 1) * context)],
    mask: batch.keyMask && [...batch.keyMask.subarray(r * context, (r + 1) * context)],
  }));
}

const scoredIn = (batch: Batch) => batch.targets.reduce((sum, t) => sum + (t === -1 ? 0 : 1), 0);

describe('training batches', () => {
  test('any batch can be made first, in any grouping, with the same result (resume and micro-batches are exact)', () => {
    for (const mode of MODES) {
      for (let trial = 0; trial < 20; trial++) {
        const data = dataset(splitOf(randomLengths()));
        const options = { mode, context: 1 + random(20), seed: trial };
        const one = batcher(data, options);
        const all = rowsOf(one.rows(0, 60), options.context);
        const other = batcher(data, options);
        for (const at of [59, 3, 30, 0, 17]) expect(rowsOf(other.rows(at, 1), options.context)).toEqual([all[at]]);
        expect(rowsOf(other.batch(5, 7), options.context)).toEqual(all.slice(35, 42));
        expect(one.scoredBefore(60)).toBe(scoredIn(one.rows(0, 60)));
      }
    }
  });

  test('seeds and modes give different orders', () => {
    const data = dataset(numbered(5000));
    const first = (mode: BatchingMode, seed: number) => [
      ...batcher(data, { mode, context: 16, seed }).rows(0, 4).inputs,
    ];
    for (const mode of ['random', 'shuffled'] as const) expect(first(mode, 1)).not.toEqual(first(mode, 2));
    expect(first('random', 1)).not.toEqual(first('shuffled', 1));
  });

  test('shuffled: in an epoch no target is scored twice and at most context − 1 are left out; phases differ', () => {
    for (let trial = 0; trial < 40; trial++) {
      const n = 1 + random(300);
      const context = 1 + random(24);
      const split = numbered(n);
      const batches = batcher(dataset(split), { mode: 'shuffled', context, seed: trial });
      const left = new Set<string>();
      for (let epoch = 0; epoch < 6; epoch++) {
        const { inputs, targets, scored } = batches.rows(epoch * batches.rowsPerEpoch, batches.rowsPerEpoch);
        const scoredTargets = [...targets].filter((target) => target !== -1);
        const seen = new Set(scoredTargets);
        expect(seen.size).toBe(scoredTargets.length);
        // The input is the token before, an EOS before the first.
        const before = [...targets].map((target) => (target === 1000 || target === -1 ? EOS : target - 1));
        expect([...inputs]).toEqual(before);
        expect(seen.size).toBe(batches.tokensPerEpoch);
        expect(scored).toBe(batches.tokensPerEpoch);
        expect(n - seen.size).toBeLessThan(context);
        left.add(split.tokens.filter((t) => !seen.has(t)).join());
      }
      expect(batches.tokensPerEpoch).toBe(Math.floor(n / Math.min(n, context)) * Math.min(n, context));
    }
  });

  test('shuffled: what is left out changes from epoch to epoch, and a batch may reach over the end of an epoch', () => {
    const split = numbered(100);
    const batches = batcher(dataset(split), { mode: 'shuffled', context: 30, seed: 1 });
    expect(batches.rowsPerEpoch).toBe(3);
    const left = new Set<string>();
    for (let epoch = 0; epoch < 10; epoch++) {
      const seen = new Set(batches.rows(epoch * 3, 3).targets);
      left.add([...split.tokens].filter((t) => !seen.has(t)).join());
    }
    expect(left.size).toBeGreaterThan(5);
    const across = batches.rows(2, 4);
    expect([...across.inputs]).toEqual([2, 3, 4, 5].flatMap((row) => [...batches.rows(row, 1).inputs]));
  });

  test('random: windows begin uniformly anywhere, also across the end', () => {
    const n = 50;
    const batches = batcher(dataset(numbered(n)), { mode: 'random', context: 8, seed: 3 });
    const counts = new Int32Array(n);
    let wrong = 0;
    const { targets, inputs } = batches.rows(0, 10_000);
    for (let r = 0; r < 10_000; r++) {
      counts[targets[r * 8] - 1000]++;
      for (let i = 0; i < 8; i++) {
        const target = targets[r * 8 + i];
        if (target !== 1000 + ((targets[r * 8] - 1000 + i) % n)) wrong++;
        if (inputs[r * 8 + i] !== (target === 1000 ? EOS : target - 1)) wrong++;
      }
    }
    expect(wrong).toBe(0);
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(80);
    expect(batches.tokensPerEpoch).toBe(n);
  });

  test('documents: every epoch scores all tokens once, rows never mix documents, padding is masked', () => {
    for (let trial = 0; trial < 60; trial++) {
      const lengths = randomLengths();
      const split = splitOf(lengths);
      const context = 1 + random(24);
      const batches = batcher(dataset(split), { mode: 'documents', context, seed: trial });
      expect(batches.rowsPerEpoch).toBe(lengths.reduce((sum, n) => sum + Math.ceil((n + 1) / context), 0));
      // What each document must look like, cut into rows.
      const expected = lengths.flatMap((_, d) => {
        const document = [...split.tokens.subarray(split.offsets[d], split.offsets[d + 1])];
        const before = [EOS, ...document];
        return Array.from({ length: Math.ceil(document.length / context) }, (__, c) => {
          const targets = document.slice(c * context, (c + 1) * context);
          const inputs = before.slice(c * context, c * context + targets.length);
          const pad = context - targets.length;
          return JSON.stringify({
            inputs: [...inputs, ...Array<number>(pad).fill(EOS)],
            targets: [...targets, ...Array<number>(pad).fill(-1)],
            mask: [...Array<number>(targets.length).fill(1), ...Array<number>(pad).fill(0)],
          });
        });
      });
      for (let epoch = 0; epoch < 3; epoch++) {
        const batch = batches.rows(epoch * batches.rowsPerEpoch, batches.rowsPerEpoch);
        const rows = rowsOf(batch, context).map((row) => JSON.stringify(row));
        expect(rows.toSorted()).toEqual(expected.toSorted());
        expect(batch.scored).toBe(split.tokens.length);
      }
      expect(batches.tokensPerEpoch).toBe(split.tokens.length);
    }
  });

  test('bad shapes are refused', () => {
    const data = dataset(numbered(10));
    expect(() => batcher(data, { mode: 'random', context: 0, seed: 1 })).toThrow(/context/);
    expect(() => batcher(dataset(numbered(0)), { mode: 'random', context: 4, seed: 1 })).toThrow(/no tokens/);
    const batches = batcher(data, { mode: 'shuffled', context: 4, seed: 1 });
    expect(() => batches.rows(-1, 2)).toThrow(/row -1/);
    expect(() => batches.batch(0, 0)).toThrow(/sequences/);
  });
});

describe('evaluation', () => {
  test('every token is a target exactly once, in order, for every batch shape and layout (coverage is 1)', () => {
    for (let trial = 0; trial < 150; trial++) {
      const lengths = randomLengths();
      const split = splitOf(lengths);
      const context = 1 + random(50);
      const rows = 1 + random(7);
      for (const layout of ['stream', 'documents'] as const) {
        const set = evaluationSet(split, tokenizer, { layout, context, rows });
        const targets: number[] = [];
        let wrong = 0;
        for (let b = 0; b < set.batches; b++) {
          const batch = set.batch(b);
          expect(batch.inputs.length).toBe(rows * context);
          expect(batch.scored).toBe(scoredIn(batch));
          batch.targets.forEach((target, i) => {
            if (target === -1) return;
            const at = targets.length;
            expect(batch.inputs[i]).toBe(at === 0 ? EOS : split.tokens[at - 1]);
            if (layout === 'documents') expect(batch.keyMask![i]).toBe(1);
            targets.push(target);
          });
          if (layout === 'documents') for (let r = 0; r < rows; r++) expect(batch.keyMask![r * context]).toBe(1);
          else expect(batch.keyMask).toBeUndefined();
        }
        expect(wrong).toBe(0);
        expect(targets).toEqual([...split.tokens]);
        expect([set.tokens, set.coverage, set.bytes]).toEqual([split.tokens.length, 1, split.bytes]);
      }
    }
  });

  test('its text consists of documents, of pieces where these are few, of tokens where it is short (would catch a wrong boundary)', () => {
    for (let trial = 0; trial < 60; trial++) {
      const split = splitOf(Array.from({ length: 1 + random(40) }, () => random(30)));
      const context = 1 + random(12);
      const limit = trial % 2 === 0 ? 0 : 1 + random(split.tokens.length);
      const { units, tokens, bytes } = evaluationSet(split, tokenizer, { layout: 'stream', context, rows: 2, limit });
      const ends = [...units.ends];
      const begun = [...split.offsets].slice(0, -1).filter((at) => at < tokens);
      expect(ends.at(-1)).toBe(tokens);
      expect([...units.bytes].reduce((sum, own) => sum + own, 0)).toBe(bytes);
      expect(ends.every((end, u) => end > (ends[u - 1] ?? 0))).toBe(true);
      if (begun.length >= 20) expect([units.unit, ends.slice(0, -1)]).toEqual(['document', begun.slice(1)]);
      else {
        // No unit reaches into another document.
        if (units.unit === 'piece') expect(begun.slice(1).every((at) => ends.includes(at))).toBe(true);
        expect(units.unit === 'piece' ? ends.length >= 20 : ends.length === tokens).toBe(true);
        for (const [u, end] of ends.entries()) expect(end - (ends[u - 1] ?? 0)).toBeLessThanOrEqual(context);
      }
      ends.forEach((end, u) => {
        const from = ends[u - 1] ?? 0;
        expect(units.bytes[u]).toBe([...split.tokens.subarray(from, end)].filter((token) => token !== EOS).length);
      });
    }
  });

  test('the error of a ratio is that of its definition, and covers the truth as often as it should (would catch tokens for documents)', () => {
    // The jackknife shares no formula with it, and agrees to second order.
    const sizes = [120, 80, 200, 95, 140, 60, 170, 110];
    const amounts = sizes.map((size, i) => size * (2 + 0.1 * Math.sin(5 * i)));
    const ratio = (keep: (i: number) => boolean) => {
      const sum = (list: readonly number[]) => list.reduce((total, x, i) => total + (keep(i) ? x : 0), 0);
      return sum(amounts) / sum(sizes);
    };
    const left = sizes.map((_, out) => ratio((i) => i !== out));
    const middle = left.reduce((a, b) => a + b) / left.length;
    const jackknife = Math.sqrt((7 / 8) * left.reduce((sum, x) => sum + (x - middle) ** 2, 0));
    expect(Math.abs(ratioError(amounts, sizes) / jackknife - 1)).toBeLessThan(0.1);
    expect(ratioError([3], [2])).toBeNaN();
    expect(ratioError([2, 4, 6], [1, 2, 3])).toBe(0);
    // Documents differ by their own luck: 2 standard errors hold the truth in about 95 of 100 samples.
    let held = 0;
    const trials = 1600;
    for (let trial = 0; trial < trials; trial++) {
      const lengths = Array.from({ length: 40 }, () => 50 + random(100));
      const nats = lengths.map((length) => {
        const luck = (random(1000) + random(1000) + random(1000)) / 1000 - 1.5;
        return length * (3 + 0.3 * luck);
      });
      const [total, all] = [nats, lengths].map((list) => list.reduce((a, b) => a + b));
      if (Math.abs(total / all - 3) < 2 * ratioError(nats, lengths)) held++;
    }
    // Five times the standard error of such a share around 0.95.
    expect(held / trials).toBeGreaterThan(0.92);
    expect(held / trials).toBeLessThan(0.98);
  });

  test('a limit scores the first so many tokens and says so', () => {
    const split = splitOf([10, 20, 5]); // 38 tokens
    for (const layout of ['stream', 'documents'] as const)
      for (const limit of [1, 7, 11, 12, 31, 38, 100]) {
        const set = evaluationSet(split, tokenizer, { layout, context: 8, rows: 2, limit });
        const targets: number[] = [];
        for (let b = 0; b < set.batches; b++) targets.push(...[...set.batch(b).targets].filter((t) => t !== -1));
        expect(targets).toEqual([...split.tokens.subarray(0, limit)]);
        expect(set.tokens).toBe(Math.min(38, limit));
        expect(set.coverage).toBe(Math.min(38, limit) / 38);
        expect(set.bytes).toBe(targets.filter((t) => t !== EOS).length);
      }
    expect(() => evaluationSet(split, tokenizer, { layout: 'stream', context: 8, rows: 2 }).batch(9)).toThrow(
      /outside/,
    );
  });
});

describe('packed rows', () => {
  test('hold every target once, documents whole and chunks of long ones (catches a piece that is lost or cut)', () => {
    for (let trial = 0; trial < 100; trial++) {
      const context = 1 + random(30);
      const split = splitOf(randomLengths());
      const packed = new PackedRows(split, context);
      const seen = new Uint8Array(split.tokens.length);
      for (let row = 0; row < packed.count; row++) {
        const pieces = packed.pieces(row);
        expect(pieces.reduce((sum, [from, to]) => sum + to - from, 0)).toBeLessThanOrEqual(context);
        for (const [from, to] of pieces) {
          const d = split.offsets.findLastIndex((offset) => offset <= from);
          const [begin, end] = [split.offsets[d]!, split.offsets[d + 1]!];
          expect((from - begin) % context).toBe(0);
          expect(to).toBe(Math.min(end, from + context));
          for (let t = from; t < to; t++) seen[t]!++;
        }
      }
      expect(seen.every((times) => times === 1)).toBe(true);
    }
  });

  test('leave no row half empty where its pieces fit another (catches first come, first served)', () => {
    const pack = (lengths: number[], context: number) => {
      const packed = new PackedRows(splitOf(lengths), context);
      return Array.from({ length: packed.count }, (_, row) => packed.pieces(row).map(([from, to]) => to - from));
    };
    // Lengths count the EOS. The piece of 3 goes where 3 are left, not where 5 are.
    expect(pack([4, 6, 2], 10)).toEqual([[7, 3], [5]]);
    expect(pack([0, 0, 0], 2)).toEqual([[1, 1], [1]]);
  });
});

describe('masks of documents', () => {
  /** Where the document of each scored target begins in its row, by searching backwards for its first token, or that of its chunk. */
  function startsByHand(split: EncodedSplit, positions: readonly (number | undefined)[]): number[] {
    const begins = new Set(split.offsets);
    return positions.map((_, place) => {
      let at = place;
      while (at > 0 && !begins.has(positions[at]!) && positions[at - 1] === positions[at]! - 1) at--;
      return at;
    });
  }

  test('say where the document of each token begins in its row (catches one that reads the document before)', () => {
    for (const mode of MODES)
      for (let trial = 0; trial < 30; trial++) {
        const lengths = randomLengths();
        const plain = splitOf(lengths);
        // Tokens that tell their position.
        const tokens = Int32Array.from(plain.tokens, (_, i) => i);
        const split = { ...plain, tokens };
        const context = 1 + random(20);
        const masked = batcher(dataset(split), { mode, context, seed: trial, documentMask: true }).rows(0, 20);
        expect(batcher(dataset(split), { mode, context, seed: trial }).rows(0, 20).starts).toBeUndefined();
        for (let r = 0; r < 20; r++) {
          const targets = [...masked.targets.subarray(r * context, (r + 1) * context)];
          const starts = [...masked.starts!.subarray(r * context, (r + 1) * context)];
          const scored = targets.filter((t) => t !== -1);
          expect(starts.slice(0, scored.length), `${mode} ${scored.join()}`).toEqual(startsByHand(split, scored));
          for (let i = 1; i < context; i++) expect(starts[i]!).toBeGreaterThanOrEqual(starts[i - 1]!);
        }
      }
  });

  test('of an evaluation too', () => {
    const split = splitOf([3, 1, 5]);
    const options = { layout: 'stream', context: 7, rows: 2, documentMask: true } as const;
    const { starts } = evaluationSet(split, tokenizer, options).batch(0);
    expect([...starts!]).toEqual([0, 0, 0, 0, 4, 4, 6, 0, 0, 0, 0, 0, 0, 0]);
  });
});
