/** Collects documents up to a size limit, in blocks, so that a growing text is copied once. */
import { characterBoundary } from './corpus.ts';
import type { Corpus } from './corpus.ts';

/** Takes documents as they are found, in order. What a method returns is false once no more is wanted. */
export interface Documents {
  /** A whole document. */
  add(document: Uint8Array): boolean;
  /** A whole document; half surrogate pairs become U+FFFD. */
  addText(document: string): boolean;
  /** Goes on with a document that comes in parts; `close` ends it. */
  part(bytes: Uint8Array): boolean;
  close(): boolean;
  /** Empty rows mean something to it. */
  readonly wantsEmpty?: boolean;
}

/** Takes the documents of all files and says how far it is. */
export interface TextSink extends Documents {
  /** Bytes of all documents, of one that is not closed as well. */
  readonly length: number;
  readonly documents: number;
  readonly full: boolean;
  /** Where it holds what it gets only until that is worked off: resolves when there is room for more. */
  room?(): Promise<void>;
  /** True where no text is too long for it. */
  readonly endless?: boolean;
}

const BLOCK = 1 << 25;
const FIRST_BLOCK = 1 << 16;

export class CorpusBuilder implements TextSink {
  /** Full blocks, then the one that is written. */
  readonly #blocks: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafeSlow(FIRST_BLOCK);
  #used = 0;
  /** Bytes in the full blocks. */
  #before = 0;
  readonly #offsets: number[] = [0];
  readonly #bits: number[] = [];
  readonly #limit: number;
  #full = false;

  /** `limit`: at most so many bytes of text; 0 = no limit. */
  constructor(limit = 0) {
    this.#limit = limit > 0 ? limit : Infinity;
  }

  get length(): number {
    return this.#before + this.#used;
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
    // Of a document beyond the limit no more is kept than what is cut.
    if (!this.#full) this.#append(document.length > this.#limit ? document.subarray(0, this.#limit + 1) : document);
    const before = this.documents;
    const more = this.close();
    if (bits !== undefined && this.documents > before) this.#bits.push(bits);
    return more;
  }

  addText(document: string): boolean {
    if (this.#full) return false;
    // UTF-8 takes at most 3 bytes for a UTF-16 unit.
    const most = 3 * document.length;
    if (most > this.#block.length - this.#used) return this.add(Buffer.from(document, 'utf8'));
    this.#used += this.#block.write(document, this.#used, 'utf8');
    return this.close();
  }

  part(bytes: Uint8Array): boolean {
    if (this.#full) return false;
    this.#append(bytes);
    if (this.length > this.#limit) this.#overflow();
    return !this.#full;
  }

  close(): boolean {
    if (this.#full) return false;
    if (this.length > this.#limit) this.#overflow();
    else {
      if (this.length > this.#begin) this.#offsets.push(this.length);
      if (this.length >= this.#limit) this.#full = true;
    }
    return !this.#full;
  }

  build(): Corpus {
    return {
      bytes: this.#join(),
      offsets: Float64Array.from(this.#offsets),
      bits: this.#bits.length > 0 && this.#bits.length === this.documents ? Float64Array.from(this.#bits) : null,
    };
  }

  /** Where the open document begins. */
  get #begin(): number {
    return this.#offsets[this.#offsets.length - 1];
  }

  #append(bytes: Uint8Array): void {
    let from = 0;
    for (;;) {
      const room = this.#block.length - this.#used;
      const piece =
        bytes.length - from <= room ? (from === 0 ? bytes : bytes.subarray(from)) : bytes.subarray(from, from + room);
      this.#block.set(piece, this.#used);
      this.#used += piece.length;
      from += piece.length;
      if (from === bytes.length) return;
      this.#nextBlock(bytes.length - from);
    }
  }

  /** Small texts get small blocks. */
  #nextBlock(atLeast: number): void {
    if (this.#used < this.#block.length) throw new Error('a block is not full');
    this.#blocks.push(this.#block);
    this.#before += this.#used;
    this.#block = Buffer.allocUnsafeSlow(Math.min(BLOCK, Math.max(atLeast, this.#before)));
    this.#used = 0;
  }

  /** The open document is beyond the limit: it goes, or the very first is cut. */
  #overflow(): void {
    this.#full = true;
    if (this.documents > 0) {
      this.#cutTo(this.#begin);
      return;
    }
    const around = this.#bytesAt(Math.max(0, this.#limit - 4), Math.min(this.length, this.#limit + 1));
    const end = this.#limit - Math.min(4, this.#limit) + characterBoundary(around, Math.min(4, this.#limit));
    this.#cutTo(end);
    if (end > 0) this.#offsets.push(end);
  }

  #cutTo(length: number): void {
    while (length < this.#before) {
      this.#block = this.#blocks.pop()!;
      this.#used = this.#block.length;
      this.#before -= this.#used;
    }
    this.#used = length - this.#before;
  }

  #bytesAt(start: number, end: number): Uint8Array {
    const out = new Uint8Array(end - start);
    let at = 0;
    for (const block of [...this.#blocks, this.#block]) {
      const piece = block.subarray(Math.max(0, start - at), Math.max(0, end - at));
      if (piece.length > 0) out.set(piece, Math.max(0, at - start));
      at += block.length;
    }
    return out;
  }

  #join(): Uint8Array {
    const last = this.#block.subarray(0, this.#used);
    if (this.#blocks.length === 0) return last;
    const all = Buffer.allocUnsafeSlow(this.length);
    let at = 0;
    // Each block is let go as soon as it is copied.
    for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) {
      block.copy(all, at);
      at += block.length;
    }
    last.copy(all, at);
    return all;
  }
}
