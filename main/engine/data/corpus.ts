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
  for (let back = 0; back < 4 && at - back > 0; back++) {
    const byte = bytes[at - back];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return at - back;
  }
  return at;
}

/** Collects documents up to a size limit. */
export class CorpusBuilder {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #length = 0;
  readonly #offsets: number[] = [0];
  readonly #bits: number[] = [];
  readonly #limit: number;
  #full = false;

  /** `limit`: at most so many bytes of text; 0 = no limit. */
  constructor(limit = 0) {
    this.#limit = limit > 0 ? limit : Infinity;
  }

  get length(): number {
    return this.#length;
  }
  get documents(): number {
    return this.#offsets.length - 1;
  }
  get full(): boolean {
    return this.#full;
  }

  /**
   * Adds a document (empty ones are skipped). A document that would exceed the limit is left out and ends the corpus; if
   * it is the very first it is cut, at a character boundary, instead. Returns false once no more is wanted.
   */
  add(document: Uint8Array, bits?: number): boolean {
    if (this.#full) return false;
    if (document.length === 0) return true;
    let end = document.length;
    if (this.#length + end > this.#limit) {
      this.#full = true;
      if (this.documents > 0) return false;
      end = characterBoundary(document, this.#limit);
      if (end === 0) return false;
    }
    if (this.#length + end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length + end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(end === document.length ? document : document.subarray(0, end), this.#length);
    this.#length += end;
    this.#offsets.push(this.#length);
    if (bits !== undefined) this.#bits.push(bits);
    if (this.#length >= this.#limit) this.#full = true;
    return !this.#full;
  }

  build(): Corpus {
    return {
      bytes: this.#bytes.subarray(0, this.#length),
      offsets: Float64Array.from(this.#offsets),
      bits: this.#bits.length > 0 && this.#bits.length === this.documents ? Float64Array.from(this.#bits) : null,
    };
  }
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
