/** Reads protocol buffers: the wire format alone, field after field, without schemas (protobuf.dev/programming-guides/encoding). */

/** A message that is none. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError';
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * One message: `while (from.next()) switch (from.field)`. A field whose wire type is not the one that is asked for is a {@link ProtoError}; what
 * nobody asks for is passed over.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #type = VARINT;
  #start = 0;
  #low = 0;
  #high = 0;
  /** Number of the field that {@link next} has found. */
  field = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes to the next field. @returns whether there is one. @throws ProtoError */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    this.#varint();
    this.field = this.#high * 2 ** 29 + (this.#low >>> 3);
    this.#type = this.#low & 7;
    if (this.field === 0) throw new ProtoError(`field 0 at byte ${this.#at}`);
    switch (this.#type) {
      case VARINT:
        this.#varint();
        return true;
      case FIXED64:
        return this.#pass(8);
      case FIXED32:
        return this.#pass(4);
      case LENGTH:
        this.#varint();
        return this.#pass(this.#high * 2 ** 32 + this.#low);
      default:
        throw new ProtoError(`wire type ${this.#type} at byte ${this.#at}`);
    }
  }

  /** int32, int64, enum. Beyond 2⁵³ it is rounded. */
  integer(): number {
    this.#expect(VARINT);
    return (this.#high | 0) * 2 ** 32 + this.#low;
  }

  boolean(): boolean {
    return this.integer() !== 0;
  }

  double(): number {
    this.#expect(FIXED64);
    return this.#view.getFloat64(this.#start, true);
  }

  float(): number {
    this.#expect(FIXED32);
    return this.#view.getFloat32(this.#start, true);
  }

  /** Shares the memory of the message. */
  bytes(): Uint8Array {
    this.#expect(LENGTH);
    return this.#bytes.subarray(this.#start, this.#at);
  }

  string(): string {
    return utf8.decode(this.bytes());
  }

  message(): ProtoReader {
    return new ProtoReader(this.bytes());
  }

  /** Numbers of a repeated field, packed or one alone. */
  *floats(): Generator<number> {
    if (this.#type !== LENGTH) return void (yield this.float());
    const { byteLength } = this.bytes();
    for (let at = 0; at + 4 <= byteLength; at += 4) yield this.#view.getFloat32(this.#start + at, true);
  }

  *doubles(): Generator<number> {
    if (this.#type !== LENGTH) return void (yield this.double());
    const { byteLength } = this.bytes();
    for (let at = 0; at + 8 <= byteLength; at += 8) yield this.#view.getFloat64(this.#start + at, true);
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new ProtoError(`field ${this.field} has wire type ${this.#type} instead of ${type}`);
  }

  #pass(length: number): true {
    this.#start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length)
      throw new ProtoError(`field ${this.field} breaks off after byte ${this.#bytes.length}`);
    return true;
  }

  /** Into two halves of 32 bits, unsigned. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#bytes.length || shift > 63) throw new ProtoError(`number breaks off at byte ${this.#at}`);
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) break;
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }
}
