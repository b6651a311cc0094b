import type { Tokenizer } from './tokenizer.ts';
import { decodeWith, defineTokenizer } from './tokenizer.ts';

/** The bytes, and EOS. */
const BYTE_VOCABULARY = 257;

/** One token per byte: ids 0–255 are the bytes, 256 is EOS (and PAD). */
export function byteTokenizer(): Tokenizer {
  const table = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const tokenBytes = new Int32Array(BYTE_VOCABULARY).fill(1);
  tokenBytes[256] = 0;
  return {
    kind: 'byte',
    vocabularySize: BYTE_VOCABULARY,
    eosId: 256,
    padId: 256,
    tokenBytes,
    encode: (bytes) => Int32Array.from(bytes),
    decode: (ids) => decodeWith(table, BYTE_VOCABULARY, ids),
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
