/** Text on its way to its tokens. */
import { hash } from 'node:crypto';
import { tokenArrayType } from '../dataset.ts';
import type { TokenArray } from '../dataset.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** What turns text into the ids of a document. They are copied before the next text. */
export type TextEncoding = Pick<Tokenizer, 'encode' | 'eosId' | 'vocabularySize'>;

/** What a part of a document is, beside its text. */
export interface Part {
  /** Bytes of its text. */
  readonly bytes: number;
  /** Whether it is the end of its document. */
  readonly closes: boolean;
  /** Whether its document is held out. */
  readonly held: boolean;
}

/** Parts of documents, one behind the other. */
export interface TextBlock {
  readonly text: Uint8Array<ArrayBuffer>;
  readonly parts: readonly Part[];
}

export interface TokenBlock {
  readonly ids: TokenArray;
  readonly parts: readonly TokenPart[];
}

export interface TokenPart extends Part {
  /** Ids of the part, the EOS of its document included. */
  readonly tokens: number;
  /** Tells documents apart: 48 bits of a digest of the part. */
  readonly digest: number;
}

/** Bytes of text in a block, about, and of the buffer that it grows in. */
export const BLOCK = 1 << 20;
export const BLOCK_BUFFER = 2 * BLOCK;

/** The ids of a block. @param spare memory for them, where it is enough */
export function encodeBlock({ text, parts }: TextBlock, tokenizer: TextEncoding, spare?: ArrayBuffer): TokenBlock {
  const Ids = tokenArrayType(tokenizer.vocabularySize);
  // A text seldom has more ids than bytes.
  const most = Ids.BYTES_PER_ELEMENT * (text.length + parts.length);
  let all: TokenArray = new Ids(spare !== undefined && spare.byteLength >= most ? spare : new ArrayBuffer(most));
  let to = 0;
  let at = 0;
  const encoded = parts.map((part): TokenPart => {
    const own = text.subarray(at, at + part.bytes);
    at += part.bytes;
    const ids = tokenizer.encode(own);
    if (to + ids.length + 1 > all.length) {
      const larger = new Ids(2 * (to + ids.length + 1));
      larger.set(all.subarray(0, to));
      all = larger;
    }
    all.set(ids, to);
    const tokens = ids.length + (part.closes ? 1 : 0);
    to += tokens;
    if (part.closes) all[to - 1] = tokenizer.eosId;
    return { ...part, tokens, digest: hash('sha1', own, 'buffer').readUIntBE(0, 6) };
  });
  return { ids: all.subarray(0, to), parts: encoded };
}
