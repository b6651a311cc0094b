/** Where a text of one document is cut: as `holdOut` does it, of a text that need not lie in memory. */
import { characterBoundary } from '../corpus.ts';
import type { TextSink } from '../corpusBuilder.ts';
import { cutPlace } from '../holdout.ts';

const NEWLINE = 10;

export class CutSink implements TextSink {
  readonly endless = true;
  length = 0;
  readonly documents = 1;
  readonly #bytes: number;
  readonly #wanted: number;
  readonly #slack: number;
  /** Places behind a line's end, the nearest ones. */
  #before = -Infinity;
  #after = Infinity;
  /** The four bytes before the wanted place, and the one at it. */
  readonly #around = new Uint8Array(5);

  constructor(bytes: number, fraction: number) {
    this.#bytes = bytes;
    ({ wanted: this.#wanted, slack: this.#slack } = cutPlace(bytes, fraction));
  }

  get full(): boolean {
    return this.length >= this.#bytes || this.#after < Infinity || this.length > this.#wanted + this.#slack;
  }

  /** Between 1 and the last byte. */
  get place(): number {
    const [before, after] = [this.#wanted - this.#before, this.#after - this.#wanted];
    if (Math.min(before, after) <= this.#slack) return before < after ? this.#before : this.#after;
    const wanted = Math.min(this.#bytes - 1, Math.max(1, this.#wanted));
    const begin = Math.max(0, wanted - 4);
    return begin + characterBoundary(this.#around.subarray(4 - (wanted - begin)), wanted - begin);
  }

  add(document: Uint8Array): boolean {
    this.part(document);
    return this.close();
  }

  addText(document: string): boolean {
    return this.add(Buffer.from(document, 'utf8'));
  }

  part(bytes: Uint8Array): boolean {
    const wanted = Math.min(this.#bytes - 1, Math.max(1, this.#wanted));
    for (let i = 0; i < this.#around.length; i++) {
      const at = wanted - 4 + i - this.length;
      if (at >= 0 && at < bytes.length) this.#around[i] = bytes[at];
    }
    const last = bytes.lastIndexOf(NEWLINE, this.#wanted - 1 - this.length);
    // A negative place counts from the end.
    if (this.#wanted - 1 - this.length >= 0 && last >= 0 && this.length + last + 1 < this.#bytes)
      this.#before = this.length + last + 1;
    const first = bytes.indexOf(NEWLINE, Math.max(0, this.#wanted - this.length));
    if (first >= 0 && this.#after === Infinity && this.length + first + 1 < this.#bytes)
      this.#after = this.length + first + 1;
    this.length += bytes.length;
    return !this.full;
  }

  close(): boolean {
    return !this.full;
  }
}
