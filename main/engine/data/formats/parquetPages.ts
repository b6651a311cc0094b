/**
 * Looks at the headers of pages before the library does, which follows whatever they say: a page without a size has it run in place for ever,
 * one of 2³¹ values fills the memory. Headers are structs in Thrift's compact protocol.
 */

/** Values, and bytes without compression, of one page. Writers begin another one after a megabyte, some after a group of rows. */
const MOST_VALUES = 1 << 26;
const MOST_BYTES = 2 ** 30;
const DEEPEST = 16;

/** Kinds of values (thrift-compact-protocol.md). */
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

type Struct = ReadonlyMap<number, number | Struct>;

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error('a page is cut off');
    return byte;
  }

  /** At most ten bytes, of which only what a number can hold is kept. */
  #varint(): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Error('a number in the header of a page does not end');
  }

  #whole(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #skip(length: number): void {
    this.at += length;
    if (this.at > this.#bytes.length) throw new Error('a page is cut off');
  }

  /** Its numbers and structs, by their number. */
  struct(depth = 0): Struct {
    if (depth > DEEPEST) throw new Error('the header of a page is nested too deep');
    const fields = new Map<number, number | Struct>();
    let field = 0;
    for (let byte = this.#byte(); (byte & 0x0f) !== 0; byte = this.#byte()) {
      const delta = byte >> 4;
      field = delta === 0 ? this.#whole() : field + delta;
      const value = this.#value(byte & 0x0f, depth);
      if (value !== undefined) fields.set(field, value);
    }
    return fields;
  }

  #value(type: number, depth: number): number | Struct | undefined {
    switch (type) {
      case TRUE:
      case FALSE:
        return undefined;
      case BYTE:
        return void this.#skip(1);
      case I16:
      case I32:
      case I64:
        return this.#whole();
      case DOUBLE:
        return void this.#skip(8);
      case BINARY:
        return void this.#skip(this.#varint());
      case LIST:
        return void this.#list(depth);
      case STRUCT:
        return this.struct(depth + 1);
      default:
        throw new Error(`the header of a page holds a value of the unknown kind ${type}`);
    }
  }

  #list(depth: number): void {
    const byte = this.#byte();
    const length = byte >> 4 === 15 ? this.#varint() : byte >> 4;
    const type = byte & 0x0f;
    if (length > this.#bytes.length) throw new Error('a page is cut off');
    for (let i = 0; i < length; i++)
      if (type === TRUE || type === FALSE) this.#skip(1);
      else this.#value(type, depth + 1);
  }

  page(): void {
    const header = this.struct();
    const within = (value: number | Struct | undefined, most: number): value is number =>
      typeof value === 'number' && value >= 0 && value <= most;
    const [packed, plain] = [header.get(3), header.get(2)];
    if (!within(packed, this.#bytes.length) || !within(plain, MOST_BYTES))
      throw new Error('a page does not say its size, or one that cannot be');
    // Of a page of data, of a dictionary, of data in version 2.
    for (const part of [5, 7, 8].map((field) => header.get(field)))
      if (part !== undefined) {
        const counts =
          part instanceof Map
            ? [part.get(1), ...(part === header.get(8) ? [2, 3, 5, 6].map((f) => part.get(f)) : [])]
            : [];
        if (counts.length === 0 || !counts.every((count) => within(count, MOST_VALUES)))
          throw new Error('a page does not say how many values it has, or more than there can be');
      }
    this.#skip(packed);
  }
}

/** @param bytes pages, one after another @throws Error in words for one whose header cannot be followed */
export function checkPages(bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  // As the library goes through them.
  while (reader.at < bytes.length - 1) reader.page();
}
