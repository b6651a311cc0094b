import { Spellings } from './spellings.ts';
import type { Tokenizer } from './tokenizer.ts';
import { defineTokenizer } from './tokenizer.ts';

/** The bytes, and EOS. */
const BYTE_VOCABULARY = 257;

/** One token per byte: ids 0–255 are the bytes, 256 is EOS (and PAD). */
export function byteTokenizer(): Tokenizer {
  const spellings = new Spellings();
  for (let byte = 0; byte < 256; byte++) spellings.push([byte]);
  return {
    kind: 'byte',
    vocabularySize: BYTE_VOCABULARY,
    eosId: 256,
    padId: 256,
    tokenBytes: spellings.lengths(BYTE_VOCABULARY),
    encode: (bytes) => Int32Array.from(bytes),
    decode: (ids) => spellings.decode(ids, BYTE_VOCABULARY),
  };
}

export const byte = defineTokenizer({
  name: 'byte',
  help: 'A token for each byte: nothing to train, long sequences, the smallest head.',
  vocabulary: () => BYTE_VOCABULARY,
  fixed: true,
  bytesPerToken: () => 1,
  prepare: () => ({ tokenizer: byteTokenizer(), id: 'byte-1', merges: null }),
  restore: byteTokenizer,
});
