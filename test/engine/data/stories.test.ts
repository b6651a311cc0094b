import { describe, expect, test } from 'vitest';
import { Options, Reader, Rules, Writer } from '../../../main/engine/data/corpora/grammar.ts';
import type { Speaker } from '../../../main/engine/data/corpora/grammar.ts';
import { story, storyBits } from '../../../main/engine/data/corpora/storiesTelling.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { WordModel } from './wordModel.ts';

const seed = Math.floor(Math.random() * 1e9);

describe('grammar', () => {
  test('refuses options of which one begins another (catches an ambiguous grammar)', () => {
    expect(() => new Options(['cat', 'dog', 'catapult'])).toThrow(/"cat" is the beginning of "catapult"/);
    expect(() => new Options(['a', 'b', 'a'])).toThrow(/beginning/);
    expect(() => new Options(['a', ''])).toThrow(/empty/);
    expect(() => new Options(['a', 'b'], [1, 0.5])).toThrow(/positive integer/);
  });

  test('the probabilities of all texts of a small grammar sum to one, and all texts differ', () => {
    const word = new Options(['x ', 'yy ', 'yz '], [3, 1, 2]);
    const more = new Options(['and ', 'end'], [1, 2]);
    const program = (speaker: Speaker) => {
      let last = speaker.pick(word);
      for (let i = 0; i < 3; i++) {
        if (speaker.pick(more) === 1) return;
        last = speaker.pick(word, last);
      }
      speaker.say('.');
    };
    // Depth-first over every sequence of picks.
    const texts = new Map<string, number>();
    const explore = (prefix: readonly number[]) => {
      let at = 0;
      let bits = 0;
      let text = '';
      let open: { options: Options; except: number } | null = null;
      const stop = new Error('stop');
      const speaker: Speaker = {
        say: (t) => {
          text += t;
        },
        pick: (options, except = -1) => {
          if (at === prefix.length) {
            open = { options, except };
            throw stop;
          }
          const index = prefix[at++];
          bits += options.bits(index, except);
          text += options.texts[index];
          return index;
        },
      };
      try {
        program(speaker);
      } catch (error) {
        if (error !== stop) throw error;
        const { options, except } = open!;
        options.texts.forEach((_, i) => i !== except && explore([...prefix, i]));
        return;
      }
      expect(texts.has(text)).toBe(false);
      texts.set(text, 2 ** -bits);
      const reader = new Reader(text);
      program(reader);
      expect(reader.picks).toEqual(prefix);
      expect(reader.bits).toBeCloseTo(bits, 12);
    };
    explore([]);
    expect(texts.size).toBeGreaterThan(30);
    expect([...texts.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  test('draws each option as often as the stated bits say (catches a claimed entropy that is not the real one)', () => {
    const options = new Options(['a', 'b', 'c', 'd'], [1, 2, 5, 8]);
    for (const except of [-1, 2]) {
      const writer = new Writer(new Stream(seed, 'test'));
      const counts = [0, 0, 0, 0];
      const n = 40_000;
      for (let i = 0; i < n; i++) counts[writer.pick(options, except)]++;
      counts.forEach((count, i) => {
        const p = i === except ? 0 : 2 ** -options.bits(i, except);
        expect(Math.abs(count / n - p)).toBeLessThan(5 * Math.sqrt(0.25 / n));
      });
    }
  });

  test('an unknown slot is an error when the grammar is made', () => {
    expect(() => new Rules({}, [[1, 'go to {nowhere}']])).toThrow(/unknown slot {nowhere}/);
  });
});

describe('stories', () => {
  test('every story is recovered from its text alone with the same probability (the text is uniquely decodable)', () => {
    for (let i = 0; i < 400; i++) {
      const { text, bits } = story(seed, i);
      const read = storyBits(text);
      expect(read.bits).toBeCloseTo(bits, 9);
      expect(text).toMatch(/^[\x20-\x7e]+\.$/);
      expect(text).not.toMatch(/ {2}|[{}]|undefined/);
    }
  });

  test('changed text is not a story (catches a reader that accepts anything)', () => {
    const { text } = story(seed, 0);
    expect(() => storyBits(`${text} `)).toThrow(/should end/);
    expect(() => storyBits(text.slice(0, -1))).toThrow(/not a sentence/);
    expect(() => storyBits(text.replace(' ', '  '))).toThrow();
    expect(() => storyBits('')).toThrow();
  });

  test('is a pure function of seed and index, and lengths and entropy are in the intended range', () => {
    expect(story(5, 17)).toEqual(story(5, 17));
    expect(story(5, 17).text).not.toBe(story(6, 17).text);
    let bytes = 0;
    let bits = 0;
    for (let i = 0; i < 1000; i++) {
      const next = story(seed, i);
      expect(next.text.length).toBeGreaterThan(300);
      expect(next.text.length).toBeLessThan(2000);
      bytes += next.text.length;
      bits += next.bits;
    }
    expect(bits / bytes).toBeGreaterThan(0.57);
    expect(bits / bytes).toBeLessThan(0.64);
  });

  test('an independent adaptive code never gets below the stated entropy, nor stays far above (catches a wrong floor)', () => {
    const model = new WordModel(3);
    let needed = 0;
    let stated = 0;
    for (let i = 0; i < 700; i++) {
      const { text, bits } = story(seed, i);
      const length = model.code(text);
      // Counted once it has learned from the first 500.
      if (i < 500) continue;
      needed += length;
      stated += bits;
    }
    expect(needed).toBeGreaterThan(stated);
    expect(needed).toBeLessThan(2.2 * stated);
  });

  test('context matters: pronouns follow the name, and what is established comes back', () => {
    for (let i = 0; i < 300; i++) {
      const { text } = story(seed, i);
      const quest = /(?:prize was|wished for|had lost|left|began) (?:an?) (\S+ \S+?)(?: of|[ .;])/.exec(text)?.[1];
      expect(quest, text).toBeDefined();
      expect(text.slice(text.search(/ (At last|In the end) /)), text).toContain(quest!.split(' ')[1]);
    }
  });
});
