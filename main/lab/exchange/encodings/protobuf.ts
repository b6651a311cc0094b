/** Writes protocol buffers: the wire format alone, field after field, without schemas (protobuf.dev/programming-guides/encoding). */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const utf8 = new TextEncoder();

/** Bytes of an unsigned number as a varint: seven bits each. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** One message. Fields are written in the order of the calls, also where their value is the default. */
export class ProtoWriter {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written; valid until the next call of anything. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.written.slice();
  }

  /** Begins another message in the same memory. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  /** int32, int64, uint32, uint64, enum. @param value a safe integer */
  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    if (value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  boolean(field: number, value: boolean): void {
    this.integer(field, value ? 1 : 0);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  float(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#room(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH);
    this.#varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Half of a surrogate pair alone, which UTF-8 lacks, becomes U+FFFD. */
  string(field: number, value: string): void {
    this.message(field, () => {
      this.#room(3 * value.length);
      this.#length += utf8.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    });
  }

  /** A message within this one: `fill` writes its fields. */
  message(field: number, fill: () => void): void {
    this.#tag(field, LENGTH);
    // Its length stands before it and is known after it: one byte is kept free, and what is longer moves aside.
    this.#room(1);
    const start = ++this.#length;
    fill();
    const size = this.#length - start;
    const more = varintSize(size) - 1;
    if (more > 0) {
      this.#room(more);
      this.#bytes.copyWithin(start + more, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 128;
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    this.#room(10);
    let rest = value;
    for (; rest >= 128n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 127n) | 128;
    this.#bytes[this.#length++] = Number(rest);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes));
    larger.set(this.written);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
