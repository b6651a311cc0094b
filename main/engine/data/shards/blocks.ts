/** Text on its way to its tokens. */
import { hash } from 'node:crypto';
import { tokenArrayType } from '../tokenArray.ts';
import type { TokenArray } from '../tokenArray.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** What turns text into the ids of a document. They are copied before the next text. */
export type TextEncoding = Pick<Tokenizer, 'encode' | 'eosId' | 'vocabularySize'>;

/**
 * What the parts of documents in a block are, beside their text. In lists of numbers: an object for each of millions keeps a collector busy and
 * its heap large.
 */
export interface Parts {
  /** Bytes of the text of each. */
  readonly bytes: Float64Array<ArrayBuffer>;
  /** {@link marksOf} each. */
  readonly marks: Uint8Array<ArrayBuffer>;
}

const CLOSES = 1;
const HELD = 2;

/** @param closes whether a part is the end of its document @param held whether its document is held out */
export const marksOf = (closes: boolean, held: boolean): number => (closes ? CLOSES : 0) | (held ? HELD : 0);
export const isClosing = (marks: number): boolean => (marks & CLOSES) !== 0;
export const isHeldOut = (marks: number): boolean => (marks & HELD) !== 0;

/** Parts of documents, one behind the other. */
export interface TextBlock {
  readonly text: Uint8Array<ArrayBuffer>;
  readonly parts: Parts;
}

export interface TokenBlock {
  readonly ids: TokenArray;
  readonly parts: TokenParts;
}

export interface TokenParts extends Parts {
  /** Ids of each part, the EOS of its document included. */
  readonly tokens: Float64Array<ArrayBuffer>;
  /** Tell documents apart: 48 bits of a digest of each part. */
  readonly digests: Float64Array<ArrayBuffer>;
}

/** The memory of the lists, for handing them to another thread. */
export const buffersOf = (parts: Parts | TokenParts): ArrayBuffer[] =>
  Object.values(parts).map(({ buffer }: { readonly buffer: ArrayBuffer }) => buffer);

/** Bytes of text in a block, about, and of the buffer that it grows in. */
export const BLOCK = 1 << 20;
export const BLOCK_BUFFER = 2 * BLOCK;

/** The ids of a block. @param spare memory for the first of them */
export function encodeBlock({ text, parts }: TextBlock, tokenizer: TextEncoding, spare?: ArrayBuffer): TokenBlock {
  const Ids = tokenArrayType(tokenizer.vocabularySize);
  const { bytes, marks } = parts;
  const { length } = bytes;
  let all: TokenArray = spare === undefined ? new Ids(text.length >> 1) : new Ids(spare);
  let to = 0;
  let at = 0;
  const tokens = new Float64Array(length);
  const digests = new Float64Array(length);
  for (let part = 0; part < length; part++) {
    const own = text.subarray(at, at + bytes[part]);
    at += bytes[part];
    const ids = tokenizer.encode(own);
    if (to + ids.length + 1 > all.length) {
      const larger = new Ids(Math.ceil(1.5 * (to + ids.length + 1)));
      larger.set(all.subarray(0, to));
      all = larger;
    }
    all.set(ids, to);
    const closes = isClosing(marks[part]);
    tokens[part] = ids.length + (closes ? 1 : 0);
    to += tokens[part];
    if (closes) all[to - 1] = tokenizer.eosId;
    digests[part] = hash('sha1', own, 'buffer').readUIntBE(0, 6);
  }
  return { ids: all.subarray(0, to), parts: { bytes, marks, tokens, digests } };
}
