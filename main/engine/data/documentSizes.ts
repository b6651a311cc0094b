/** Bytes of the documents of a text, of which there may be many millions: four bytes for each. */

/** Lengths of documents, by their number. */
export interface Sizes {
  readonly length: number;
  at(document: number): number;
}

/** Stands for a length that four bytes do not hold. */
const LONG = 0xffffffff;
const FIRST_ROOM = 1 << 12;

/** Document and length. */
export type LongDocument = readonly [document: number, size: number];

export class DocumentSizes implements Sizes {
  #sizes: Uint32Array<ArrayBuffer> = new Uint32Array(FIRST_ROOM);
  #length = 0;
  /** The few that are longer than 4 GiB. */
  readonly #long: Map<number, number>;

  private constructor(long: readonly LongDocument[]) {
    this.#long = new Map(long);
  }

  static of(...sizes: readonly number[]): DocumentSizes {
    const made = new DocumentSizes([]);
    for (const size of sizes) made.push(size);
    return made;
  }

  /** What `bytes` and `long` gave. */
  static from(bytes: Uint8Array<ArrayBuffer>, long: readonly LongDocument[]): DocumentSizes {
    const made = new DocumentSizes(long);
    made.#sizes = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Uint32Array.BYTES_PER_ELEMENT);
    made.#length = made.#sizes.length;
    return made;
  }

  get length(): number {
    return this.#length;
  }

  /** For a file, beside `long`. A view. */
  get bytes(): Uint8Array {
    const { buffer, byteOffset } = this.#sizes;
    return new Uint8Array(buffer, byteOffset, this.#length * Uint32Array.BYTES_PER_ELEMENT);
  }

  get long(): readonly LongDocument[] {
    return [...this.#long];
  }

  push(size: number): void {
    const document = this.#length++;
    if (document >= this.#sizes.length) {
      const bytes = Uint32Array.BYTES_PER_ELEMENT * (2 * document + FIRST_ROOM);
      this.#sizes = new Uint32Array(this.#sizes.buffer.transfer(bytes));
    }
    if (size >= LONG) this.#long.set(document, size);
    this.#sizes[document] = Math.min(size, LONG);
  }

  at(document: number): number {
    const size = this.#sizes[document];
    return size === LONG ? this.#long.get(document)! : size;
  }
}

export function totalOf(sizes: Sizes): number {
  let sum = 0;
  for (let d = 0; d < sizes.length; d++) sum += sizes.at(d);
  return sum;
}

/** Gives back the memory of numbers for all documents, which are not looked at again: a collection may come much later. */
export function letGo({ buffer }: Int32Array<ArrayBuffer>): void {
  buffer.transfer(0);
}
