/** Takes the documents of one file: byte-order marks inside values go, and characters that are none are counted. */
import { isUtf8 } from 'node:buffer';
import type { Documents, TextSink } from '../corpusBuilder.ts';
import { invalidBytes } from '../utf8.ts';
import { LIMITS } from '../limits.ts';
import type { ReadingNotes } from './notes.ts';

const MARK = '\uFEFF';

export interface RowOptions {
  /** For messages. */
  readonly name: string;
  /** Bytes come as they are in a table, not from a text that was looked at before. */
  readonly raw: boolean;
  /** The error when the text is longer than fits the memory. */
  readonly tooLong: () => Error;
}

export class RowDocuments implements Documents {
  readonly #builder: TextSink;
  readonly #notes: ReadingNotes;
  readonly #options: RowOptions;
  #marks = 0;
  #halves = 0;
  #invalid = 0;

  constructor(builder: TextSink, notes: ReadingNotes, options: RowOptions) {
    this.#builder = builder;
    this.#notes = notes;
    this.#options = options;
  }

  add(document: Uint8Array): boolean {
    return this.#bounded(this.#builder.add(this.#options.raw ? this.#checked(document) : document));
  }

  addText(document: string): boolean {
    let text = document;
    if (text.includes(MARK)) {
      text = text.replaceAll(MARK, '');
      this.#marks += document.length - text.length;
    }
    if (!text.isWellFormed()) this.#halves++;
    return this.#bounded(this.#builder.addText(text));
  }

  part(bytes: Uint8Array): boolean {
    return this.#bounded(this.#builder.part(bytes));
  }

  close(): boolean {
    return this.#builder.close();
  }

  /** Tells what was found. */
  finish(): void {
    const { name } = this.#options;
    if (this.#marks > 0) this.#notes.count('changed', 'byte-order marks taken out', name, this.#marks);
    if (this.#halves > 0)
      this.#notes.count('changed', 'documents with half a surrogate pair, which became U+FFFD', name, this.#halves);
    if (this.#invalid > 0)
      this.#notes.warn(
        `${name}: ${this.#invalid === 1 ? '1 byte is no UTF-8; it stays' : `${this.#invalid} bytes are no UTF-8; they stay`} in the text.`,
      );
  }

  #bounded(more: boolean): boolean {
    if (this.#builder.endless !== true && this.#builder.length > LIMITS.text) throw this.#options.tooLong();
    return more;
  }

  #checked(document: Uint8Array): Uint8Array {
    const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
    if (!isUtf8(bytes)) this.#invalid += invalidBytes(bytes).count;
    if (!bytes.includes(MARK)) return bytes;
    const text = Buffer.from(bytes.toString('latin1').replaceAll('\xef\xbb\xbf', ''), 'latin1');
    this.#marks += (bytes.length - text.length) / 3;
    return text;
  }
}
