/**
 * Training of a byte-level BPE. Pairs are counted once over the different pieces and then kept up to date: a merge touches
 * only the pieces that hold its pair. A heap gives the most frequent pair; ties go to the lower left id, then the lower
 * right id, so that the result depends on the text alone.
 */
import { FIRST_MERGE } from './bpeTokenizer.ts';
import { PairMap } from './merges.ts';
import { PieceTable, pieceEnd } from './pieces.ts';

export interface BpeTraining {
  /** Left and right id of each merge, flat. */
  readonly merges: Int32Array;
  /** Different pieces in the text. */
  readonly pieces: number;
}

/** A pair seen fewer times than this is not worth a token. */
const MIN_COUNT = 2;

class PairHeap {
  readonly #heap: number[] = [];
  readonly #less: (a: number, b: number) => boolean;

  /** `before(a, b)`: pair a comes out before pair b. */
  constructor(before: (a: number, b: number) => boolean) {
    this.#less = before;
  }

  get size(): number {
    return this.#heap.length;
  }

  push(pair: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(pair);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#less(pair, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = pair;
  }

  get top(): number {
    return this.#heap[0];
  }

  pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return top;
  }

  /** Restores the order after the key of the top pair fell. */
  sinkTop(): void {
    this.#sink(this.#heap[0]);
  }

  #sink(pair: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#less(heap[child + 1], heap[child])) child++;
      if (!this.#less(heap[child], pair)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = pair;
  }
}

/**
 * Learns merges from documents bytes[offsets[d] … offsets[d + 1]) until there are `vocabularySize` ids (256 bytes and EOS
 * included) or no pair occurs twice. `onProgress` gets 0 … 1.
 */
export function trainBpe(
  bytes: Uint8Array,
  offsets: Float64Array,
  vocabularySize: number,
  onProgress?: (fraction: number) => void,
): BpeTraining {
  const COUNTING = 0.2;
  const table = new PieceTable();
  const counts: number[] = [];
  const documents = offsets.length - 1;
  let reported = 0;
  for (let d = 0; d < documents; d++) {
    const end = offsets[d + 1];
    for (let at = offsets[d]; at < end;) {
      const next = pieceEnd(bytes, at, end);
      const index = table.index(bytes, at, next);
      if (index === counts.length) counts.push(0);
      counts[index]++;
      at = next;
    }
    if (end - reported > 1 << 20) {
      reported = end;
      onProgress?.((COUNTING * end) / bytes.length);
    }
  }

  // Symbols of all pieces, end to end; a piece shrinks in place as its symbols merge.
  const pieces = counts.length;
  const starts = new Int32Array(pieces + 1);
  for (let w = 0; w < pieces; w++) starts[w + 1] = starts[w] + table.bytes(w).length;
  const lengths = new Int32Array(pieces);
  const symbols = new Int32Array(starts[pieces]);
  for (let w = 0; w < pieces; w++) {
    const piece = table.bytes(w);
    symbols.set(piece, starts[w]);
    lengths[w] = piece.length;
  }

  // Pairs get dense numbers; a pair's list may hold pieces that no longer have it (they are skipped).
  const pairIndex = new PairMap();
  const pairLeft: number[] = [];
  const pairRight: number[] = [];
  const pairCount: number[] = [];
  const pairPieces: number[][] = [];
  const pairOf = (left: number, right: number): number => {
    let pair = pairIndex.get(left, right);
    if (pair < 0) {
      pair = pairCount.length;
      pairIndex.set(left, right, pair);
      pairLeft.push(left);
      pairRight.push(right);
      pairCount.push(0);
      pairPieces.push([]);
    }
    return pair;
  };
  for (let w = 0; w < pieces; w++) {
    for (let i = starts[w]; i + 1 < starts[w] + lengths[w]; i++) {
      const pair = pairOf(symbols[i], symbols[i + 1]);
      pairCount[pair] += counts[w];
      const list = pairPieces[pair];
      if (list[list.length - 1] !== w) list.push(w);
    }
  }

  // Keys in the heap may be too high (counts only fall until a pair is renewed): the top is checked before use.
  const heapCount: number[] = pairCount.slice();
  const heap = new PairHeap((a, b) => {
    if (heapCount[a] !== heapCount[b]) return heapCount[a] > heapCount[b];
    if (pairLeft[a] !== pairLeft[b]) return pairLeft[a] < pairLeft[b];
    return pairRight[a] < pairRight[b];
  });
  for (let pair = 0; pair < pairCount.length; pair++) heap.push(pair);

  const wanted = Math.max(0, vocabularySize - FIRST_MERGE);
  const merges: number[] = [];
  onProgress?.(COUNTING);
  while (merges.length < 2 * wanted && heap.size > 0) {
    const pair = heap.top;
    if (heapCount[pair] !== pairCount[pair]) {
      heapCount[pair] = pairCount[pair];
      heap.sinkTop();
      continue;
    }
    if (pairCount[pair] < MIN_COUNT) break;
    heap.pop();
    const left = pairLeft[pair];
    const right = pairRight[pair];
    const merged = FIRST_MERGE + merges.length / 2;
    merges.push(left, right);
    const firstNew = pairCount.length;
    for (const w of pairPieces[pair]) {
      const start = starts[w];
      const length = lengths[w];
      const count = counts[w];
      let present = false;
      for (let i = start; i + 1 < start + length && !present; i++)
        present = symbols[i] === left && symbols[i + 1] === right;
      if (!present) continue;
      for (let i = start; i + 1 < start + length; i++) pairCount[pairIndex.get(symbols[i], symbols[i + 1])] -= count;
      let to = start;
      for (let i = start; i < start + length; i++) {
        if (i + 1 < start + length && symbols[i] === left && symbols[i + 1] === right) {
          symbols[to++] = merged;
          i++;
        } else symbols[to++] = symbols[i];
      }
      lengths[w] = to - start;
      for (let i = start; i + 1 < to; i++) {
        const now = pairOf(symbols[i], symbols[i + 1]);
        pairCount[now] += count;
        // Only pairs with the new symbol are new to this piece; the others list it already.
        if (now >= firstNew) {
          const list = pairPieces[now];
          if (list[list.length - 1] !== w) list.push(w);
        }
      }
    }
    pairPieces[pair] = [];
    for (let now = firstNew; now < pairCount.length; now++) {
      heapCount.push(pairCount[now]);
      heap.push(now);
    }
    if ((merges.length & 127) === 0) onProgress?.(COUNTING + ((1 - COUNTING) * merges.length) / (2 * wanted));
  }
  onProgress?.(1);
  return { merges: Int32Array.from(merges), pieces };
}
