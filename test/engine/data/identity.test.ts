import { describe, expect, test } from 'vitest';
import type { TokenSplit } from '../../../main/engine/data/dataset.ts';
import { textIdentity, tokenizerIdentity } from '../../../main/engine/data/identity.ts';
import { bpeTokenizer } from '../../../main/engine/data/tokenizers/bpeTokenizer.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';
import type { Tokenizer } from '../../../main/engine/data/tokenizers/tokenizer.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { temporaryFolder, testConfig } from '../train/helpers.ts';

/** The lowest ids of merges: th, he, the. */
const MERGES = Int32Array.of(116, 104, 104, 101, 257, 101);
const byte = byteTokenizer();
const bpe = bpeTokenizer(MERGES, 260);

function splitOf(tokenizer: Tokenizer, documents: readonly string[]): TokenSplit {
  const tokens: number[] = [];
  const offsets = [0];
  for (const text of documents) {
    tokens.push(...tokenizer.encode(new TextEncoder().encode(text)), tokenizer.eosId);
    offsets.push(tokens.length);
  }
  return { tokens: Uint16Array.from(tokens), offsets: Float64Array.from(offsets), bytes: documents.join('').length };
}
const named = (tokenizer: Tokenizer, documents: readonly string[], tokens = Infinity): string => {
  const split = splitOf(tokenizer, documents);
  return textIdentity(split, tokenizer, Math.min(tokens, split.tokens.length));
};

describe('the name of a scored text', () => {
  test('is the same in every tokenizer (would catch bits per byte that are not compared across tokenizers)', () => {
    const text = ['the other', 'ä the\n', 'x'];
    expect(splitOf(bpe, text).tokens.length).toBeLessThan(splitOf(byte, text).tokens.length);
    expect(named(bpe, text)).toBe(named(byte, text));
  });
  test('differs by a byte, by where documents end, by their order, and by how much is scored', () => {
    const all = [
      named(byte, ['ab', 'c']),
      named(byte, ['ab', 'd']),
      named(byte, ['a', 'bc']),
      named(byte, ['abc']),
      named(byte, ['c', 'ab']),
      named(byte, ['ab', 'c', 'd']),
      named(byte, ['ab', 'c'], 1),
      named(byte, ['ab', 'c'], 2),
      named(byte, ['ab', 'c'], 3),
    ];
    expect(new Set(all).size).toBe(all.length);
    // The same part of two texts is the same text; a limit beyond the end is none.
    expect(named(byte, ['ab', 'x'], 3)).toBe(named(byte, ['ab', 'y'], 3));
    expect(named(byte, ['ab', 'c'], 5)).toBe(named(byte, ['ab', 'c']));
  });
});

test('a tokenizer is named by what its tokens stand for', () => {
  const other = bpeTokenizer(Int32Array.of(116, 104, 104, 101, 257, 114), 260);
  const names = [byte, bpe, other].map(tokenizerIdentity);
  expect(new Set(names).size).toBe(3);
  expect(tokenizerIdentity(bpeTokenizer(MERGES.slice(), 260))).toBe(names[1]);
  expect(names[1]).toMatch(/^bpe-260-[0-9a-f]{16}$/u);
});

describe('a prepared run', () => {
  const info = async (cache: string, settings: Record<string, number | string>) =>
    (await prepareData({ config: testConfig({ 'eval.tokens': 0, ...settings }), cache })).info;

  test('tells which text it scores and in which tokens', async () => {
    const cache = await temporaryFolder();
    const bytes = await info(cache, { 'tokenizer.kind': 'byte' });
    const merged = await info(cache, { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300 });
    expect(merged.scoredText).toBe(bytes.scoredText);
    expect(merged.tokenizer).not.toBe(bytes.tokenizer);
    const changes: Record<string, number | string>[] = [
      { 'eval.tokens': 50 },
      { 'data.corpus_seed': 7 },
      { 'data.validation': 0.2 },
    ];
    for (const other of changes) expect((await info(cache, other)).scoredText).not.toBe(bytes.scoredText);
    // What only concerns training, and all of the text said in two ways.
    const idle: Record<string, number | string>[] = [
      { seed: 9 },
      { 'data.batching': 'documents' },
      { 'eval.tokens': 10_000_000 },
    ];
    for (const same of idle) expect((await info(cache, same)).scoredText).toBe(bytes.scoredText);
  });

  test('gives the floor of the text that is scored (would catch the floor of the whole beside the score of a part)', async () => {
    const cache = await temporaryFolder();
    const whole = (await info(cache, {})).entropyFloor;
    const part = await info(cache, { 'eval.tokens': 50 });
    expect(whole).toBeGreaterThan(0);
    expect(part.entropyFloor).toBeGreaterThan(0);
    expect(part.entropyFloor).not.toBe(whole);
    expect(part.scoredTokens).toBeLessThanOrEqual(50);
  });
});
