/** A corpus in memory: documents as bytes, end to end. Text is never decoded, so invalid UTF-8 survives. */
import { createHash } from 'node:crypto';

export interface Corpus {
  /** All documents, concatenated without separators. */
  readonly bytes: Uint8Array;
  /** Document d is bytes[offsets[d] … offsets[d + 1]); length = documents + 1. */
  readonly offsets: Float64Array;
  /** −log2 of each document's probability where it is known exactly (the built-in corpus), else null. */
  readonly bits: Float64Array | null;
}

export const documentCount = (corpus: Corpus): number => corpus.offsets.length - 1;

export const documentBytes = (corpus: Corpus, index: number): Uint8Array =>
  corpus.bytes.subarray(corpus.offsets[index], corpus.offsets[index + 1]);

/** Moves a cut at `at` back to the beginning of a UTF-8 character (at most 3 bytes; invalid text is cut where it is). */
export function characterBoundary(bytes: Uint8Array, at: number): number {
  for (let back = 0; back < 4 && at - back >= 0; back++) {
    const byte = bytes[at - back];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return at - back;
  }
  return at;
}

/** A corpus of some of the documents, in the given order. */
export function selectDocuments(corpus: Corpus, documents: Int32Array): Corpus {
  let length = 0;
  for (const d of documents) length += corpus.offsets[d + 1] - corpus.offsets[d];
  const bytes = Buffer.allocUnsafe(length);
  const offsets = new Float64Array(documents.length + 1);
  let at = 0;
  documents.forEach((d, i) => {
    bytes.set(documentBytes(corpus, d), at);
    at += corpus.offsets[d + 1] - corpus.offsets[d];
    offsets[i + 1] = at;
  });
  return { bytes, offsets, bits: corpus.bits === null ? null : Float64Array.from(documents, (d) => corpus.bits![d]) };
}

/** SHA-256 of the text and of where its documents end. */
export function corpusHash(corpus: Corpus): string {
  const { offsets, bytes } = corpus;
  return createHash('sha256')
    .update(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength))
    .update(bytes)
    .digest('hex');
}
