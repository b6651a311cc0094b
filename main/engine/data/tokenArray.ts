/** In how many bytes token ids are kept. */
export type TokenArray = Uint16Array | Int32Array;

export interface TokenArrayType {
  new (length: number): TokenArray;
  new (buffer: ArrayBufferLike): TokenArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** Two bytes per token where the vocabulary allows it. */
export const tokenArrayType = (vocabularySize: number): TokenArrayType =>
  vocabularySize <= 65_536 ? Uint16Array : Int32Array;
