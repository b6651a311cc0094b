/** Bytes of a stream from a moving place on: appended at the end, given up at the front, without copying more than twice. */
export class ByteWindow {
  #buffer = Buffer.allocUnsafeSlow(1 << 21);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The bytes, valid until the next `append`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = this.length + chunk.length;
      const target =
        needed * 2 > this.#buffer.length
          ? Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
          : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#end = this.length;
      this.#start = 0;
      this.#buffer = target;
    }
    this.#end += chunk.copy(this.#buffer, this.#end);
  }

  /** Gives up the first `count` bytes. */
  drop(count: number): void {
    this.#start += count;
  }
}
