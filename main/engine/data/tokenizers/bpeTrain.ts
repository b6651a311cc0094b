/**
 * Training of a byte-level BPE. Pairs are counted once over the different pieces and then kept up to date: a merge touches
 * only the pieces that hold its pair. A heap gives the most frequent pair; ties go to the lower left id, then the lower
 * right id, so that the result depends on the text alone.
 */
import { FIRST_MERGE } from './bpeTokenizer.ts';
import { tokenArrayType } from '../tokenArray.ts';
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

const NOWHERE: readonly number[] = [];
/** Shorter ones take less room as plain lists. */
const SHORT_LIST = 24;

/** Share of the work that counting is, for the progress. */
const COUNTING = 0.2;

/** Different pieces that are counted at most: the rarest are forgotten beyond, so that any text is counted in bounded memory. */
const MOST_PIECES = 1 << 21;

/** How often each piece of a text occurs. Exact as long as there are no more than two million different ones. */
export class PieceCounts {
  #table = new PieceTable();
  #counts = new Float64Array(1 << 12);
  readonly #most: number;

  constructor(most = MOST_PIECES) {
    this.#most = most;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Counts a document, or a part of one that ends where pieces end. */
  add(bytes: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end;) {
      const next = pieceEnd(bytes, at, end);
      const index = this.#table.index(bytes, at, next);
      if (index === this.#counts.length) this.#counts = new Float64Array(this.#counts.buffer.transfer(16 * index));
      this.#counts[index]++;
      at = next;
    }
    if (this.size > this.#most) this.#forget();
  }

  /** Keeps the more frequent half, or fewer where the least of them are as rare as what goes. */
  #forget(): void {
    const table = this.#table;
    const counts = this.#counts.subarray(0, this.size);
    const least = counts.toSorted()[this.#most >> 1]! + 1;
    this.#table = new PieceTable();
    // Those that stay move up: none is written before it was read.
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index]!;
      if (count < least) continue;
      const piece = table.bytes(index);
      this.#counts[this.#table.index(piece, 0, piece.length)] = count;
    }
    this.#counts.fill(0, this.size);
  }

  /** Everything in three arrays, which another thread can be given; nothing is left here. */
  take(): CountedPieces {
    const { size } = this;
    const ends = new Int32Array(size);
    for (let w = 0, end = 0; w < size; w++) ends[w] = end += this.#table.bytes(w).length;
    const bytes = new Uint8Array(size === 0 ? 0 : ends[size - 1]!);
    for (let w = 0; w < size; w++) bytes.set(this.#table.bytes(w), w === 0 ? 0 : ends[w - 1]!);
    const counts = this.#counts.slice(0, size);
    this.#table = new PieceTable();
    this.#counts = new Float64Array(1 << 12);
    return { bytes, ends, counts };
  }
}

/** Different pieces, end to end, and how often each occurs. */
export interface CountedPieces {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Int32Array<ArrayBuffer>;
  readonly counts: Float64Array<ArrayBuffer>;
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
  // All of it lies in memory anyway: no piece need be forgotten.
  const counted = new PieceCounts(Infinity);
  let reported = 0;
  for (let d = 0; d + 1 < offsets.length; d++) {
    const end = offsets[d + 1];
    counted.add(bytes, offsets[d], end);
    if (end - reported > 1 << 20) {
      reported = end;
      onProgress?.((COUNTING * end) / bytes.length);
    }
  }
  return mergesOf(counted.take(), vocabularySize, onProgress);
}

/** A list that stays as it is, without the room that one which grows has. */
const packed = (list: number[]): number[] | Int32Array =>
  list.length < SHORT_LIST ? list.slice() : Int32Array.from(list);

/** {@link trainBpe} from pieces that were counted. */
export function mergesOf(
  { bytes, ends, counts }: CountedPieces,
  vocabularySize: number,
  onProgress?: (fraction: number) => void,
): BpeTraining {
  // Symbols of all pieces, end to end; a piece shrinks in place as its symbols merge.
  const pieces = counts.length;
  const starts = new Int32Array(pieces + 1);
  starts.set(ends, 1);
  const lengths = new Int32Array(pieces);
  const symbols = new (tokenArrayType(vocabularySize))(bytes.length);
  symbols.set(bytes);
  for (let w = 0; w < pieces; w++) lengths[w] = starts[w + 1] - starts[w];

  // Pairs get dense numbers; a pair's list may hold pieces that no longer have it (they are skipped).
  const pairIndex = new PairMap();
  const pairLeft: number[] = [];
  const pairRight: number[] = [];
  const pairCount: number[] = [];
  const pairPieces: (readonly number[] | Int32Array)[] = [];
  const pairOf = (left: number, right: number): number => {
    let pair = pairIndex.get(left, right);
    if (pair < 0) {
      pair = pairCount.length;
      pairIndex.set(left, right, pair);
      pairLeft.push(left);
      pairRight.push(right);
      pairCount.push(0);
    }
    return pair;
  };
  // The lists of the pairs of bytes are the longest by far: they lie end to end, once it is known how long each is.
  const room = new Int32Array(256 * 256);
  const last = new Int32Array(room.length).fill(-1);
  for (let w = 0; w < pieces; w++) {
    for (let i = starts[w]; i + 1 < starts[w] + lengths[w]; i++) {
      const pair = pairOf(symbols[i], symbols[i + 1]);
      pairCount[pair] += counts[w];
      if (last[pair] !== w) room[pair]++;
      last[pair] = w;
    }
  }
  const listed = new Int32Array(room.reduce((sum, length) => sum + length, 0));
  const next = new Int32Array(room.length);
  for (let pair = 0, at = 0; pair < pairCount.length; at += room[pair++]) {
    pairPieces.push(listed.subarray(at, at + room[pair]));
    next[pair] = at;
  }
  last.fill(-1);
  for (let w = 0; w < pieces; w++) {
    for (let i = starts[w]; i + 1 < starts[w] + lengths[w]; i++) {
      const pair = pairIndex.get(symbols[i], symbols[i + 1]);
      if (last[pair] !== w) listed[next[pair]++] = w;
      last[pair] = w;
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
    const newLists: number[][] = [];
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
          const list = (newLists[now - firstNew] ??= []);
          if (list[list.length - 1] !== w) list.push(w);
        }
      }
    }
    pairPieces[pair] = NOWHERE;
    for (let now = firstNew; now < pairCount.length; now++) {
      // Later rounds make pairs of later symbols: the count of this one only falls, and one that is rare now is never merged.
      const isRare = pairCount[now]! < MIN_COUNT;
      pairPieces.push(isRare ? NOWHERE : packed(newLists[now - firstNew]!));
      heapCount.push(pairCount[now]!);
      if (!isRare) heap.push(now);
    }
    if ((merges.length & 127) === 0) onProgress?.(COUNTING + ((1 - COUNTING) * merges.length) / (2 * wanted));
  }
  onProgress?.(1);
  return { merges: Int32Array.from(merges), pieces };
}
