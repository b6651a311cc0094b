/** Text on its way to its tokens. */
import { hash } from 'node:crypto';
import { tokenArrayType } from '../dataset.ts';
import type { TokenArray } from '../dataset.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** What turns text into the ids of a document. */
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

/** The ids of a block. */
export function encodeBlock({ text, parts }: TextBlock, tokenizer: TextEncoding): TokenBlock {
  const Ids = tokenArrayType(tokenizer.vocabularySize);
  const encoded: { readonly ids: Int32Array; readonly part: TokenPart }[] = [];
  let at = 0;
  let length = 0;
  for (const part of parts) {
    const own = text.subarray(at, at + part.bytes);
    at += part.bytes;
    const ids = tokenizer.encode(own);
    const tokens = ids.length + (part.closes ? 1 : 0);
    length += tokens;
    const digest = hash('sha1', own, 'buffer').readUIntBE(0, 6);
    encoded.push({ ids, part: { ...part, tokens, digest } });
  }
  const all = new Ids(length);
  let to = 0;
  for (const { ids, part } of encoded) {
    all.set(ids, to);
    to += part.tokens;
    if (part.closes) all[to - 1] = tokenizer.eosId;
  }
  return { ids: all, parts: encoded.map(({ part }) => part) };
}
