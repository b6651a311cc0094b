/** The first reading of a text: how long its documents are, and with which of them each file begins. */
import { characterBoundary } from '../corpus.ts';
import type { TextSink } from '../corpusBuilder.ts';
import { DocumentSizes } from '../documentSizes.ts';

/** Counts what a corpus of so many bytes would hold, by the rules of CorpusBuilder. */
export class ScanSink implements TextSink {
  readonly endless = true;
  /** Bytes of each document. */
  readonly sizes = DocumentSizes.of();
  #open = 0;
  #length = 0;
  #full = false;
  readonly #limit: number;
  /** Bytes of the first document around the limit: it is cut there, between characters. */
  readonly #around = new Uint8Array(5);

  /** @param limit 0: none */
  constructor(limit: number) {
    this.#limit = limit > 0 ? limit : Infinity;
  }

  get length(): number {
    return this.#length;
  }
  get documents(): number {
    return this.sizes.length;
  }
  get full(): boolean {
    return this.#full;
  }

  add(document: Uint8Array): boolean {
    return this.part(document) ? this.close() : false;
  }

  addText(document: string): boolean {
    return this.add(Buffer.from(document, 'utf8'));
  }

  part(bytes: Uint8Array): boolean {
    if (this.#full) return false;
    if (this.documents === 0 && this.#length + bytes.length > this.#limit - 4) this.#remember(bytes);
    this.#open += bytes.length;
    this.#length += bytes.length;
    if (this.#length > this.#limit) this.#overflow();
    return !this.#full;
  }

  close(): boolean {
    if (this.#full) return false;
    if (this.#open > 0) this.#push(this.#open);
    if (this.#length >= this.#limit) this.#full = true;
    return !this.#full;
  }

  #remember(bytes: Uint8Array): void {
    const first = this.#limit - 4 - this.#length;
    for (let i = 0; i < this.#around.length; i++) {
      const byte = bytes[first + i];
      if (first + i >= 0 && byte !== undefined) this.#around[i] = byte;
    }
  }

  #push(size: number): void {
    this.sizes.push(size);
    this.#open = 0;
  }

  /** The open document is beyond the limit: it goes, or the very first is cut. */
  #overflow(): void {
    this.#full = true;
    this.#length -= this.#open;
    if (this.documents > 0) return;
    const around = this.#around.subarray(Math.max(0, 4 - this.#limit));
    const begin = Math.max(0, this.#limit - 4);
    const end = begin + characterBoundary(around, this.#limit - begin);
    this.#length = end;
    if (end > 0) this.#push(end);
  }
}
