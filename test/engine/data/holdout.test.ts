import { describe, expect, test } from 'vitest';
import type { Corpus } from '../../../main/engine/data/corpus.ts';
import { characterBoundary, documentBytes, documentCount } from '../../../main/engine/data/corpus.ts';
import { CorpusBuilder } from '../../../main/engine/data/corpusBuilder.ts';
import { holdOut } from '../../../main/engine/data/holdout.ts';

const corpusOf = (documents: readonly (string | Uint8Array)[]): Corpus => {
  const builder = new CorpusBuilder();
  for (const document of documents) builder.add(Buffer.from(document));
  return builder.build();
};

test('cuts fall between characters', () => {
  const bytes = Buffer.from('aé日🦊z');
  const cuts = Array.from({ length: bytes.length + 1 }, (_, i) => characterBoundary(bytes, i));
  expect(cuts).toEqual([0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11]);
  expect(characterBoundary(Buffer.from('日x'), 2)).toBe(0);
});

describe('hold-out', () => {
  const total = (corpus: Corpus) => corpus.bytes.length;
  const texts = (corpus: Corpus) =>
    Array.from({ length: documentCount(corpus) }, (_, d) => Buffer.from(documentBytes(corpus, d)).toString('latin1'));

  test('splits whole documents, loses none, keeps their order and comes near the fraction (random sizes)', () => {
    for (let trial = 0; trial < 200; trial++) {
      const n = 2 + Math.floor(Math.random() * 60);
      const documents = Array.from({ length: n }, (_, i) =>
        `${i}:`.padEnd(3 + Math.floor(Math.random() ** 3 * 200), 'x'),
      );
      const corpus = corpusOf(documents);
      const fraction = 0.01 + Math.random() * 0.49;
      for (const how of ['random', 'last'] as const) {
        const { train, validation } = holdOut(corpus, fraction, how, trial);
        const held = new Set(texts(validation));
        expect(texts(train)).toEqual(documents.filter((d) => !held.has(d)));
        expect(texts(validation)).toEqual(documents.filter((d) => held.has(d)));
        expect(total(train)).toBeGreaterThan(0);
        expect(total(validation)).toBeGreaterThan(0);
        if (how === 'last') expect(texts(validation)).toEqual(documents.slice(n - held.size));
        const largest = Math.max(...documents.map((d) => d.length));
        expect(Math.abs(total(validation) - fraction * total(corpus))).toBeLessThanOrEqual(largest);
      }
    }
  });

  test('depends on the seed alone', () => {
    const corpus = corpusOf(Array.from({ length: 100 }, (_, i) => `document ${i}`));
    const held = (seed: number) => texts(holdOut(corpus, 0.1, 'random', seed).validation);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
  });

  test('information of documents goes with them', () => {
    const builder = new CorpusBuilder();
    for (let i = 0; i < 20; i++) builder.add(Buffer.from(String.fromCharCode(65 + i)), i);
    const { train, validation } = holdOut(builder.build(), 0.2, 'random', 0);
    for (const side of [train, validation])
      texts(side).forEach((text, d) => expect(side.bits![d]).toBe(text.charCodeAt(0) - 65));
    expect(validation.bits!.length).toBe(4);
  });

  test('a single document is cut once, at a line end or between characters, its tail held out', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('');
    const byLine = holdOut(corpusOf([lines]), 0.1, 'random', 0);
    expect(texts(byLine.train)[0] + texts(byLine.validation)[0]).toBe(lines);
    expect(texts(byLine.validation)[0]).toMatch(/^line 9\d\n/);
    const { train, validation } = holdOut(corpusOf(['é'.repeat(51)]), 0.1, 'last', 0);
    expect(train.bytes.length % 2).toBe(0);
    expect(validation.bytes.length).toBeGreaterThanOrEqual(8);
    expect(() => holdOut(corpusOf(['x']), 0.1, 'random', 0)).toThrow(/too short/);
    expect(() => holdOut(corpusOf(['ab', 'c']), 0, 'random', 0)).toThrow(/data.validation is 0/);
  });
});
