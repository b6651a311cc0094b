/** What every tokenizer offers. All are lossless: decode(encode(bytes)) = bytes, for any bytes. */
export interface Tokenizer {
  readonly kind: 'byte' | 'bpe' | 'gpt2';
  /** Number of token ids, the width of embedding and head. Follows from the settings alone, so that plans are exact. */
  readonly vocabularySize: number;
  /** Ends every document; also what the first token of a document is predicted from. Stands for 0 bytes. */
  readonly eosId: number;
  /** Fills rows up. Equal to `eosId`: padding is never a target and its keys are masked, so it needs no row of its own. */
  readonly padId: number;
  /** Bytes that each token stands for; 0 for EOS and for ids that never occur. Length = vocabularySize. */
  readonly tokenBytes: Int32Array;
  /** Ordinary text only: nothing in the text is ever taken for EOS. */
  encode(bytes: Uint8Array): Int32Array;
  /** Bytes of the tokens; EOS and unused ids give nothing. An id outside 0 … vocabularySize − 1 is an error. */
  decode(ids: ArrayLike<number>): Uint8Array;
}

/** Decodes by a table of the bytes of each token. */
export function decodeWith(
  table: readonly (Uint8Array | undefined)[],
  size: number,
  ids: ArrayLike<number>,
): Uint8Array {
  let length = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (!(id >= 0 && id < size)) throw new RangeError(`token id ${id} is outside 0 … ${size - 1}`);
    length += table[id]?.length ?? 0;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < ids.length; i++) {
    const piece = table[ids[i]];
    if (piece === undefined) continue;
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
