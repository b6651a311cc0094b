/** Bytes that come in pieces, taken in amounts of one's own. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #parts: Uint8Array[] = [];
  #have = 0;
  /** Bytes that were taken. */
  position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes: fewer only where nothing follows, none at the end. Valid as long as one keeps them. */
  async take(length: number): Promise<Uint8Array> {
    while (this.#have < length) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      if (value.length > 0) this.#parts.push(value);
      this.#have += value.length;
    }
    const [first] = this.#parts;
    if (first === undefined) return new Uint8Array(0);
    const size = Math.min(length, this.#have);
    this.position += size;
    this.#have -= size;
    if (first.length >= size) {
      this.#parts[0] = first.subarray(size);
      if (first.length === size) this.#parts.shift();
      return first.subarray(0, size);
    }
    return this.#joined(size);
  }

  /** True where bytes are at hand without waiting. */
  has(length: number): boolean {
    return this.#have >= length;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #joined(size: number): Uint8Array {
    const all = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const part = this.#parts.shift()!;
      const used = part.subarray(0, size - at);
      all.set(used, at);
      at += used.length;
      if (used.length < part.length) this.#parts.unshift(part.subarray(used.length));
    }
    return all;
  }
}
