/** The second reading of a text: its documents in blocks of a size that threads can take. */
import type { TextSink } from '../corpusBuilder.ts';
import { BLOCK, BLOCK_BUFFER, marksOf } from './blocks.ts';
import type { TextBlock } from './blocks.ts';
import type { Sizes } from '../documentSizes.ts';

export interface BlockStreamOptions {
  /** Bytes of each document, as they were found. */
  readonly sizes: Sizes;
  /** 1 for each that is held out; of which all are, or none, where it is a number. */
  readonly held: Uint8Array | 0 | 1;
  /** The first document of the reading, and the first that is wanted. */
  readonly from: number;
  readonly skipTo: number;
  /** Whether long documents may be parted where the pieces of a tokenizer always end. */
  readonly parts: boolean;
  /** A text of one document is read as two, of these sizes. */
  readonly isCut: boolean;
  /** Memory of `BLOCK_BUFFER` bytes that an earlier block lay in. */
  readonly spare?: (() => ArrayBuffer | undefined) | undefined;
  take(block: TextBlock): void;
  room(): Promise<void>;
  /** The error when the text is not what it was. */
  changed(): Error;
}

const NEWLINE = 10;
const isSign = (byte: number) => byte > 32 && byte < 127;

export class BlockStream implements TextSink {
  readonly endless = true;
  readonly #options: BlockStreamOptions;
  #text = new Uint8Array(BLOCK_BUFFER);
  #used = 0;
  /** Where the part that grows begins. */
  #begin = 0;
  /** Bytes and marks of the parts. */
  #bytes: number[] = [];
  #marks: number[] = [];
  /** Bytes of the open document. */
  #open = 0;
  #length = 0;
  documents: number;

  constructor(options: BlockStreamOptions) {
    this.#options = options;
    this.documents = options.from;
  }

  get length(): number {
    return this.#length;
  }
  get full(): boolean {
    return this.documents >= this.#options.sizes.length;
  }

  room(): Promise<void> {
    return this.#options.room();
  }

  add(document: Uint8Array): boolean {
    return this.part(document) && this.close();
  }

  addText(document: string): boolean {
    return this.add(Buffer.from(document, 'utf8'));
  }

  part(bytes: Uint8Array): boolean {
    const { sizes, isCut } = this.#options;
    if (this.full) return false;
    // The very first may be cut at its end, and one that stands alone in two.
    const left = sizes.at(this.documents) - this.#open;
    if (bytes.length > left) {
      if (sizes.length > (isCut ? 2 : 1)) throw this.#options.changed();
      this.#append(bytes.subarray(0, left));
      return this.#end() && (!isCut || this.part(bytes.subarray(left)));
    }
    this.#append(bytes);
    return true;
  }

  close(): boolean {
    if (this.full) return false;
    return this.#open === 0 || this.#end();
  }

  /** What is left in hand. */
  finish(): void {
    if (this.documents !== this.#options.sizes.length) throw this.#options.changed();
    this.#give(this.#used);
  }

  #append(bytes: Uint8Array): void {
    this.#open += bytes.length;
    this.#length += bytes.length;
    if (this.documents < this.#options.skipTo) return;
    if (this.#used + bytes.length > this.#text.length) {
      const larger = new Uint8Array(Math.max(2 * this.#text.length, this.#used + bytes.length));
      larger.set(this.#text.subarray(0, this.#used));
      this.#text = larger;
    }
    this.#text.set(bytes, this.#used);
    this.#used += bytes.length;
    if (this.#used < BLOCK_BUFFER) return;
    if (this.#bytes.length > 0) this.#give(this.#begin);
    else if (this.#options.parts) this.#part(this.#used - bytes.length);
  }

  /** Parts the open document where a line's end stands alone between two signs: every rule for pieces cuts there. @param from what is new */
  #part(from: number): void {
    const text = this.#text;
    for (let at = this.#used - 1; at > Math.max(1, from); at--)
      if (text[at - 1] === NEWLINE && isSign(text[at - 2]) && isSign(text[at])) {
        this.#push(at, false);
        this.#give(at);
        return;
      }
  }

  #push(bytes: number, closes: boolean): void {
    const { held } = this.#options;
    this.#bytes.push(bytes);
    this.#marks.push(marksOf(closes, (typeof held === 'number' ? held : held[this.documents]) === 1));
  }

  #end(): boolean {
    if (this.#open !== this.#options.sizes.at(this.documents)) throw this.#options.changed();
    this.#open = 0;
    if (this.documents >= this.#options.skipTo) {
      this.#push(this.#used - this.#begin, true);
      this.#begin = this.#used;
    }
    this.documents++;
    if (this.#used >= BLOCK) this.#give(this.#used);
    return !this.full;
  }

  /** Gives the parts, which end at `end`; what lies behind stays. */
  #give(end: number): void {
    if (this.#bytes.length === 0) return;
    const rest = this.#text.subarray(end, this.#used);
    const spare = rest.length > BLOCK_BUFFER ? undefined : this.#options.spare?.();
    const next = new Uint8Array(spare ?? new ArrayBuffer(Math.max(BLOCK_BUFFER, rest.length)));
    next.set(rest);
    const text = this.#text.subarray(0, end);
    const parts = { bytes: Float64Array.from(this.#bytes), marks: Uint8Array.from(this.#marks) };
    this.#text = next;
    this.#used = rest.length;
    this.#begin = 0;
    this.#bytes = [];
    this.#marks = [];
    this.#options.take({ text, parts });
  }
}
