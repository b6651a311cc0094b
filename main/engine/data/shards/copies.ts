/** Counts the documents of one side that stand on the other side as well, by what tells documents apart. */
import { grown } from '../grown.ts';

export class Copies {
  #digests: Float64Array<ArrayBuffer> = new Float64Array(1 << 10);
  /** Whether those of the same digest were counted; by the first of them. */
  #isSeen = new Uint8Array();
  length = 0;
  seen = 0;

  /** A document; before all calls of `see`. */
  push(digest: number): void {
    this.#digests = grown(this.#digests, this.length + 1);
    this.#digests[this.length++] = digest;
  }

  /** A document of the other side. */
  see(digest: number): void {
    if (this.#isSeen.length === 0) {
      this.#digests = this.#digests.subarray(0, this.length).sort();
      this.#isSeen = new Uint8Array(this.length);
    }
    const first = this.#firstOf(digest);
    if (this.#digests[first] !== digest || this.#isSeen[first] === 1) return;
    this.#isSeen[first] = 1;
    for (let i = first; this.#digests[i] === digest; i++) this.seen++;
  }

  /** The place of the first that is not smaller. */
  #firstOf(digest: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#digests[middle]! < digest) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
