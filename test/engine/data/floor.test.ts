import { describe, expect, test } from 'vitest';
import { Options, PrefixReader } from '../../../main/engine/data/corpora/grammar.ts';
import type { Speaker } from '../../../main/engine/data/corpora/grammar.ts';
import { story, storyBits, storyPrefixBits } from '../../../main/engine/data/corpora/storiesTelling.ts';
import { CorpusBuilder } from '../../../main/engine/data/corpusBuilder.ts';
import { encodeCorpus } from '../../../main/engine/data/encode.ts';
import { entropyFloor } from '../../../main/engine/data/floor.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';
import { bpeTokenizer } from '../../../main/engine/data/tokenizers/bpeTokenizer.ts';
import { trainBpe } from '../../../main/engine/data/tokenizers/bpeTrain.ts';
import { Dice } from './reading/helpers.ts';

/** All texts of a small grammar with their probabilities, by walking every choice. */
function enumerate(tell: (speaker: Speaker) => void): Map<string, number> {
  const texts = new Map<string, number>();
  const follow = (picks: readonly number[]): void => {
    let text = '';
    let probability = 1;
    let depth = 0;
    try {
      tell({
        say: (words) => void (text += words),
        pick: (options, except = -1) => {
          const allowed = options.texts.map((_, i) => i).filter((i) => i !== except);
          if (depth === picks.length) throw allowed;
          const index = picks[depth++];
          text += options.texts[index];
          probability *= 2 ** -options.bits(index, except);
          return index;
        },
      });
      texts.set(text, (texts.get(text) ?? 0) + probability);
    } catch (allowed) {
      for (const next of allowed as number[]) follow([...picks, next]);
    }
  };
  follow([]);
  return texts;
}

describe('the information of a beginning', () => {
  const animals = new Options(['cat ', 'caterpillar ', 'dog ', 'cow '], [4, 2, 1, 3]);
  const ends = new Options(['sat.', 'sang.', 'slept.'], [1, 1, 2]);
  const small = (speaker: Speaker): void => {
    speaker.say('The ');
    const first = speaker.pick(animals);
    speaker.say('and the ');
    speaker.pick(animals, first);
    if (speaker.pick(ends) === 0) speaker.say(' Down.');
  };

  test('is that of all texts that begin so, for every beginning of every text of a small grammar', () => {
    const texts = enumerate(small);
    expect([...texts.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    for (const text of texts.keys())
      for (let length = 0; length <= text.length; length++) {
        const beginning = text.slice(0, length);
        let probability = 0;
        for (const [other, p] of texts) if (other.startsWith(beginning)) probability += p;
        expect(new PrefixReader(beginning).measure(small), beginning).toBeCloseTo(-Math.log2(probability), 10);
      }
    expect(() => new PrefixReader('The cat and the cat ').measure(small)).toThrow();
    expect(() => new PrefixReader('The cat and the dog sat. Down. More').measure(small)).toThrow();
  });

  test('of a story: nothing for nothing, never falls, and ends at that of the whole', () => {
    const dice = new Dice();
    const { text, bits } = story(dice.below(1000), dice.below(1000));
    let before = 0;
    for (let length = 0; length <= text.length; length += 1 + dice.below(9)) {
      const now = storyPrefixBits(text.slice(0, length));
      expect(now, `seed ${dice.seed}`).toBeGreaterThanOrEqual(before - 1e-9);
      before = now;
    }
    expect(storyPrefixBits('')).toBe(0);
    expect(storyPrefixBits(text)).toBeCloseTo(bits, 9);
    expect(storyBits(text).bits).toBeCloseTo(bits, 9);
  });
});

describe('the floor', () => {
  const told = Array.from({ length: 12 }, (_, i) => story(3, i));
  const builder = new CorpusBuilder();
  for (const { text, bits } of told) builder.add(Buffer.from(text), bits);
  const corpus = builder.build();
  const information = {
    bits: corpus.bits!,
    prefixBits: (text: Uint8Array) => storyPrefixBits(Buffer.from(text).toString('latin1')),
  };

  test.each(['byte', 'bpe'])(
    'belongs to exactly the tokens that are scored (%s; catches the floor of the whole split)',
    async (kind) => {
      const tokenizer =
        kind === 'byte' ? byteTokenizer() : bpeTokenizer(trainBpe(corpus.bytes, corpus.offsets, 400).merges, 400);
      const split = await encodeCorpus(corpus, tokenizer, () => undefined);
      const dice = new Dice();
      for (let trial = 0; trial < 40; trial++) {
        const tokens = 1 + dice.below(split.tokens.length);
        const floor = entropyFloor(split, tokenizer, information, tokens)!;
        let bits = 0;
        let bytes = 0;
        for (let d = 0, at = 0; d < told.length && at < tokens; d++) {
          const text = Buffer.from(
            tokenizer.decode(split.tokens.subarray(split.offsets[d], Math.min(tokens, split.offsets[d + 1]))),
          );
          expect(told[d].text.startsWith(text.toString())).toBe(true);
          bits += storyPrefixBits(text.toString());
          bytes += text.length;
          at = split.offsets[d + 1];
        }
        expect(floor.bitsPerByte, `seed ${dice.seed}`).toBeCloseTo(bits / bytes, 9);
      }
      const whole = entropyFloor(split, tokenizer, information)!;
      expect(whole.bitsPerByte).toBeCloseTo(told.reduce((sum, { bits }) => sum + bits, 0) / corpus.bytes.length, 12);
      expect(whole.documents).toBe(12);
    },
  );

  test('its standard error is the spread of floors over other texts of the same size', async () => {
    const tokenizer = byteTokenizer();
    const floors: number[] = [];
    const errors: number[] = [];
    for (let set = 0; set < 200; set++) {
      const own = new CorpusBuilder();
      for (let i = 0; i < 10; i++) {
        const { text, bits } = story(17, 10 * set + i);
        own.add(Buffer.from(text), bits);
      }
      const each = own.build();
      const split = await encodeCorpus(each, tokenizer, () => undefined);
      const floor = entropyFloor(split, tokenizer, { ...information, bits: each.bits! })!;
      floors.push(floor.bitsPerByte);
      errors.push(floor.standardError!);
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(mean(floors.map((value) => (value - mean(floors)) ** 2)));
    expect(Math.sqrt(mean(errors.map((value) => value ** 2))) / spread).toBeGreaterThan(0.85);
    expect(Math.sqrt(mean(errors.map((value) => value ** 2))) / spread).toBeLessThan(1.15);
    const single = await encodeCorpus({ ...corpus, offsets: corpus.offsets.slice(0, 2) }, tokenizer, () => undefined);
    expect(entropyFloor(single, tokenizer, information)!.standardError).toBeNull();
  });
});
