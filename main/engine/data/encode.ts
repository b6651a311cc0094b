/** Text to tokens, and what is worth knowing about them. */
import { createHash } from 'node:crypto';
import type { Corpus } from './corpus.ts';
import { documentBytes, documentCount } from './corpus.ts';
import { tokenArrayType } from './tokenArray.ts';
import type { DataStats } from '../../../preload/contract/shapes.ts';
import type { EncodedSplit } from './dataset.ts';
import { throwIfAborted } from './errors.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/** Encodes all documents, each followed by EOS. Lets other work run in between. `onBytes`: bytes done. */
export async function encodeCorpus(
  corpus: Corpus,
  tokenizer: Tokenizer,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<EncodedSplit> {
  const documents = documentCount(corpus);
  const offsets = new Float64Array(documents + 1);
  const TokenIds = tokenArrayType(tokenizer.vocabularySize);
  let tokens = new TokenIds(Math.ceil(corpus.bytes.length / 3) + documents + 16);
  let length = 0;
  let paused = performance.now();
  for (let d = 0; d < documents; d++) {
    const ids = tokenizer.encode(documentBytes(corpus, d));
    if (length + ids.length + 1 > tokens.length) {
      const larger = new TokenIds(Math.max(tokens.length * 2, length + ids.length + 1));
      larger.set(tokens.subarray(0, length));
      tokens = larger;
    }
    tokens.set(ids, length);
    length += ids.length;
    tokens[length++] = tokenizer.eosId;
    offsets[d + 1] = length;
    if (performance.now() - paused > 30) {
      onBytes(corpus.offsets[d + 1]);
      await new Promise((resolve) => setImmediate(resolve));
      throwIfAborted(signal);
      paused = performance.now();
    }
  }
  return { tokens: tokens.slice(0, length), offsets, bytes: corpus.bytes.length };
}

export function longest(offsets: Float64Array): number {
  let most = 0;
  for (let d = 0; d + 1 < offsets.length; d++) most = Math.max(most, offsets[d + 1] - offsets[d]);
  return most;
}

const digest = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('base64');

function duplicateFraction(train: Corpus, validation: Corpus): number {
  const held = new Map<string, number>();
  for (let d = 0; d < documentCount(validation); d++) {
    const key = digest(documentBytes(validation, d));
    held.set(key, (held.get(key) ?? 0) + 1);
  }
  let duplicates = 0;
  for (let d = 0; d < documentCount(train) && held.size > 0; d++) {
    const key = digest(documentBytes(train, d));
    const count = held.get(key);
    if (count === undefined) continue;
    duplicates += count;
    held.delete(key);
  }
  return duplicates / documentCount(validation);
}

export function computeStats(
  texts: { readonly train: Corpus; readonly validation: Corpus },
  train: EncodedSplit,
  validation: EncodedSplit,
  vocabularySize: number,
): DataStats {
  const seen = new Uint8Array(vocabularySize);
  for (const id of train.tokens) seen[id] = 1;
  let unseen = 0;
  for (const id of validation.tokens) unseen += 1 - seen[id];
  return {
    trainBytes: train.bytes,
    validationBytes: validation.bytes,
    trainTokens: train.tokens.length,
    validationTokens: validation.tokens.length,
    trainDocuments: train.offsets.length - 1,
    validationDocuments: validation.offsets.length - 1,
    bytesPerToken: train.bytes / train.tokens.length,
    unseenTokenFraction: unseen / validation.tokens.length,
    duplicateFraction: duplicateFraction(texts.train, texts.validation),
    usedVocabulary: seen.reduce((sum, one) => sum + one, 0),
    longestDocument: Math.max(longest(train.offsets), longest(validation.offsets)),
  };
}
