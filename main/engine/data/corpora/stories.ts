import { sha256 } from '../../../files/whole.ts';
import { CorpusBuilder } from '../corpusBuilder.ts';
import { throwIfAborted } from '../errors.ts';
import { PhaseMeter } from '../progress.ts';
import { defineCorpus, sizeIn } from './corpusKind.ts';

/** Bytes that are told when data.size is 0. */
export const USUAL_BYTES = 2_000_000;

export const stories = defineCorpus({
  name: 'stories',
  help: 'built in: short animal stories from a grammar with exactly known entropy, any length',
  bytes: (c) => (c['data.size'] as number) || USUAL_BYTES,
  async open(c, options) {
    const { story, storyPrefixBits } = await import('./storiesTelling.ts');
    const size = sizeIn(c, 'data.size') || USUAL_BYTES;
    const seed = sizeIn(c, 'data.corpus_seed');
    // Names the grammar by what it tells, so that a changed grammar is never mistaken for the old one.
    const sample = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => story(1, i).text).join('\n');
    const grammar = sha256(sample).slice(0, 16);
    return {
      fingerprint: JSON.stringify({ corpus: 'stories', grammar, size, seed }),
      prefixBits: (beginning) => storyPrefixBits(Buffer.from(beginning).toString('latin1')),
      async load() {
        const builder = new CorpusBuilder();
        const meter = new PhaseMeter('read', options.onProgress);
        // Whole stories until the size is reached; at least two, so that one can be held out.
        for (let i = 0; builder.length < size || i < 2; i++) {
          const { text: told, bits } = story(seed, i);
          builder.add(Buffer.from(told, 'latin1'), bits);
          if (i % 500 === 499) {
            meter.update(builder.length, size, 'stories', true);
            await new Promise((resolve) => setImmediate(resolve));
            throwIfAborted(options.signal);
          }
        }
        return { corpus: builder.build(), report: null };
      },
    };
  },
});
