/** What a compression is. One file each; `index.ts` lists them. */

/** What is wrong with a compressed file, in words that complete `FILE …`, and what to do about it. */
export class CompressionError extends Error {
  readonly what: string;
  readonly advice: string;

  constructor(what: string, advice: string) {
    super(what);
    this.what = what;
    this.advice = advice;
  }
}

export interface Compression {
  readonly name: string;
  /** Name endings that are taken off to find the format inside. */
  readonly endings: readonly string[];
  readonly matches: (head: Buffer) => boolean;
  /** Every member or frame, one after the other. @throws CompressionError where it is cut off, damaged or followed by something */
  readonly decompress: (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;
}

const AGAIN = 'download or copy it again';

export const endsEarly = () => new CompressionError('ends too early: a part of it is missing.', AGAIN);
export const damaged = (why: string) => new CompressionError(`is damaged (${why}).`, AGAIN);
export const followed = (name: string) =>
  new CompressionError(
    `has something else after the end of its ${name} data: what follows would be lost.`,
    'cut off what does not belong to it, or download it again',
  );

/** A stream of chunks of which what is not needed can be put back. */
export class Input {
  readonly #source: AsyncIterator<Buffer>;
  #back: Buffer[] = [];

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** The next chunk, never empty; null at the end. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      const back = this.#back.pop();
      if (back !== undefined) return back;
      const { value, done } = await this.#source.next();
      if (done === true) return null;
      if (value.length > 0) return value;
    }
  }

  putBack(chunk: Buffer): void {
    if (chunk.length > 0) this.#back.push(chunk);
  }

  /** The next `length` bytes without taking them; fewer where the stream ends. */
  async peek(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let have = 0;
    while (have < length) {
      const chunk = await this.next();
      if (chunk === null) break;
      parts.push(chunk);
      have += chunk.length;
    }
    const all = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    this.putBack(all);
    return all.subarray(0, length);
  }

  /** Passes over so many bytes; false where the stream ends before. */
  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0) {
      const chunk = await this.next();
      if (chunk === null) return false;
      if (chunk.length > left) this.putBack(chunk.subarray(left));
      left -= Math.min(left, chunk.length);
    }
    return true;
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = await this.next();
      if (chunk === null) return;
      yield chunk;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
