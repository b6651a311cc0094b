/** Token ids in files, read where they are needed: nothing of them stays in the memory of the process. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Tokens } from './dataset.ts';
import type { TokenArray, TokenArrayType } from './tokenArray.ts';

/** Files of more bytes are read at the places that are needed. */
const IN_MEMORY = 2 ** 25;

/** What so many bytes of token ids take of a run's memory. */
export const heldBytes = (bytes: number): number => (bytes > IN_MEMORY ? 0 : bytes);

export interface TokenPart {
  readonly path: string;
  /** Bytes of ids. */
  readonly bytes: number;
}

/** Files stay open as long as somebody may read them. */
const unused = new FinalizationRegistry<readonly number[]>((files) => {
  for (const file of files) closeSync(file);
});

export class TokenFiles implements Tokens {
  readonly length: number;
  readonly #files: readonly number[];
  /** The first id of each file, and the end. */
  readonly #begins: Float64Array;
  readonly #Ids: TokenArrayType;

  /** The ids of the parts, one behind the other. @throws what the file system says */
  constructor(parts: readonly TokenPart[], Ids: TokenArrayType) {
    this.#Ids = Ids;
    this.#begins = new Float64Array(parts.length + 1);
    parts.forEach(({ bytes }, i) => (this.#begins[i + 1] = this.#begins[i] + bytes / Ids.BYTES_PER_ELEMENT));
    this.length = this.#begins[parts.length];
    const files: number[] = [];
    this.#files = files;
    unused.register(this, files);
    for (const { path } of parts) files.push(openSync(path, 'r'));
  }

  subarray(from: number, to: number): TokenArray {
    const end = Math.min(to, this.length);
    const ids = new this.#Ids(Math.max(0, end - from));
    let part = this.#partOf(from);
    for (let at = from; at < end; part++) {
      const stop = Math.min(end, this.#begins[part + 1]);
      this.#read(part, at - this.#begins[part], ids.subarray(at - from, stop - from));
      at = stop;
    }
    return ids;
  }

  #partOf(token: number): number {
    let low = 0;
    let high = this.#files.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#begins[middle] <= token) low = middle;
      else high = middle;
    }
    return low;
  }

  #read(part: number, from: number, ids: TokenArray): void {
    const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
    for (let done = 0; done < bytes.length;) {
      const position = from * ids.BYTES_PER_ELEMENT + done;
      const read = readSync(this.#files[part], bytes, done, bytes.length - done, position);
      if (read === 0) throw new Error('a file of prepared tokens became shorter while it was read');
      done += read;
    }
  }
}
