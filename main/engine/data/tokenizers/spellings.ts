/** What tokens spell, end to end in one array: an object for each of tens of thousands would take several times the memory. */
import { grown } from '../grown.ts';

export class Spellings {
  #bytes = new Uint8Array(1 << 16);
  /** Where token t begins; where it ends the next one does. */
  #starts = new Int32Array(1 << 10);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  /** Adds a token that spells its parts, one after another; without any, one that spells nothing. */
  push(...parts: readonly ArrayLike<number>[]): void {
    let end = this.#starts[this.#count]!;
    const needed = end + parts.reduce((sum, { length }) => sum + length, 0);
    this.#bytes = grown(this.#bytes, needed);
    this.#starts = grown(this.#starts, this.#count + 2);
    for (const part of parts) {
      this.#bytes.set(part, end);
      end += part.length;
    }
    this.#starts[++this.#count] = end;
  }

  /** The bytes of a token: a view, valid until the next `push`. */
  of(token: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[token], this.#starts[token + 1]);
  }

  /** Bytes of each token, 0 from `length` on. */
  lengths(tokens: number): Int32Array {
    const lengths = new Int32Array(tokens);
    for (let t = 0; t < this.#count; t++) lengths[t] = this.#starts[t + 1]! - this.#starts[t]!;
    return lengths;
  }

  /** The text of tokens. @param size ids that there are; those from `length` on spell nothing */
  decode(ids: ArrayLike<number>, size: number): Uint8Array {
    let length = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!(id >= 0 && id < size)) throw new RangeError(`token id ${id} is outside 0 … ${size - 1}`);
      if (id < this.#count) length += this.#starts[id + 1]! - this.#starts[id]!;
    }
    const bytes = new Uint8Array(length);
    let to = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (id >= this.#count) continue;
      for (let at = this.#starts[id]!; at < this.#starts[id + 1]!; at++) bytes[to++] = this.#bytes[at]!;
    }
    return bytes;
  }
}
