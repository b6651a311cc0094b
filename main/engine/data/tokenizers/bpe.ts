import type { Config } from '../../../../preload/contract/settings.ts';
import { DataError } from '../errors.ts';
import { bpeTokenizer, FIRST_MERGE } from './bpeTokenizer.ts';
import { defineTokenizer } from './tokenizer.ts';

const LARGEST = 65_536;
const USUAL = 1024;

/** Its vocabulary as set. @throws DataError for a size that it cannot have */
function sizeOf(c: Config): number {
  const size = c['tokenizer.vocabulary'] ?? USUAL;
  if (typeof size === 'number' && Number.isInteger(size) && size >= FIRST_MERGE && size <= LARGEST) return size;
  const nearest = typeof size === 'number' ? Math.min(LARGEST, Math.max(FIRST_MERGE, Math.round(size))) : USUAL;
  const allowed = `an integer from ${FIRST_MERGE} to ${LARGEST}`;
  throw new DataError('tokenizer.vocabulary', size, 'not a vocabulary size.', allowed, nearest);
}

export const bpe = defineTokenizer({
  name: 'bpe',
  help: 'Byte-pair merges trained on the training split: as many tokens as you like, made for your text.',
  settings: [
    {
      name: 'tokenizer.vocabulary',
      type: { kind: 'int', min: FIRST_MERGE, max: LARGEST },
      default: USUAL,
      unit: 'tokens',
      help: 'Vocabulary of the trained byte-level BPE. The logits, often the largest tensor, grow with it.',
      question: 'tokenizer',
      touches: ['memory', 'time'],
      plan: 'none',
    },
    {
      name: 'tokenizer.sample',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'bytes',
      help: 'Bytes of the training split that the BPE is trained on; 0 takes all of it.',
      question: 'tokenizer',
      plan: 'none',
    },
  ],
  vocabulary: sizeOf,
  // About 2.2 bytes for 512 ids, 4 for 16,000: half a byte for each doubling.
  bytesPerToken: (c) => Math.max(1, 2.2 + 0.37 * Math.log2(sizeOf(c) / 512)),
  async prepare(c, { train }, options) {
    const { prepareMerges } = await import('./bpePrepare.ts');
    const vocabularySize = sizeOf(c);
    const [sample, seed] = [Number(c['tokenizer.sample'] ?? 0), Number(c['data.corpus_seed'] ?? 0)];
    const make = (merges: Int32Array) => bpeTokenizer(merges, vocabularySize);
    const { id, merges } = await prepareMerges(train, { vocabularySize, sample, seed }, make, options);
    return { tokenizer: make(merges), id, merges };
  },
  async learn(c, train, options) {
    const { learnMerges } = await import('./bpePrepare.ts');
    const vocabularySize = sizeOf(c);
    const [sample, seed] = [Number(c['tokenizer.sample'] ?? 0), Number(c['data.corpus_seed'] ?? 0)];
    const { id, merges } = await learnMerges(train, { vocabularySize, sample, seed }, options);
    return { tokenizer: bpeTokenizer(merges, vocabularySize), id, merges };
  },
  restore: (vocabularySize, merges) => bpeTokenizer(merges!, vocabularySize),
});
