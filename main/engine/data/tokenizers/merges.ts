/** Applies byte-pair merges: shared by the tokenizer trained here and by GPT-2's. */
import { grown } from '../grown.ts';

/** The numbers of a {@link PairMap}, which threads can share. */
export interface PairTables {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly value: Int32Array;
}

/** (left id, right id) → merged id, by open addressing. */
export class PairMap {
  #left: Int32Array = new Int32Array(1 << 12).fill(-1);
  #right: Int32Array = new Int32Array(1 << 12);
  #value: Int32Array = new Int32Array(1 << 12);
  #size = 0;

  /** One that is only asked. */
  static over({ left, right, value }: PairTables): PairMap {
    const map = new PairMap();
    [map.#left, map.#right, map.#value] = [left, right, value];
    return map;
  }

  /** A copy that threads can share. */
  shared(): PairTables {
    return { left: shared(this.#left), right: shared(this.#right), value: shared(this.#value) };
  }

  #slot(left: number, right: number): number {
    const mask = this.#left.length - 1;
    let slot = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#left[slot] >= 0 && (this.#left[slot] !== left || this.#right[slot] !== right))
      slot = (slot + 1) & mask;
    return slot;
  }

  /** The value of a pair, −1 when it has none. */
  get(left: number, right: number): number {
    const slot = this.#slot(left, right);
    return this.#left[slot] < 0 ? -1 : this.#value[slot];
  }

  set(left: number, right: number, value: number): void {
    const slot = this.#slot(left, right);
    if (this.#left[slot] < 0) this.#size++;
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#value[slot] = value;
    if (this.#size * 2 > this.#left.length) this.#grow();
  }

  #grow(): void {
    const [left, right, value] = [this.#left, this.#right, this.#value];
    this.#left = new Int32Array(left.length * 2).fill(-1);
    this.#right = new Int32Array(left.length * 2);
    this.#value = new Int32Array(left.length * 2);
    for (let i = 0; i < left.length; i++) {
      if (left[i] < 0) continue;
      const slot = this.#slot(left[i], right[i]);
      this.#left[slot] = left[i];
      this.#right[slot] = right[i];
      this.#value[slot] = value[i];
    }
  }
}

/** A copy in memory that threads share. */
export function shared(numbers: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

/** Pieces longer than this are merged by a heap: n·log n steps instead of n². */
const LONG_PIECE = 128;

/** The same merges in the same order as the plain loop, for long pieces. */
function mergeLongPiece(symbols: Int32Array, length: number, merges: PairMap): number {
  const next = Int32Array.from({ length }, (_, i) => i + 1);
  const previous = Int32Array.from({ length }, (_, i) => i - 1);
  // Heap of (merged id, position) as one number, lowest first. An entry is stale when the pair there has changed.
  const heap: number[] = [];
  const push = (at: number) => {
    if (at < 0 || next[at] >= length) return;
    const merged = merges.get(symbols[at], symbols[next[at]]);
    if (merged < 0) return;
    const key = merged * length + at;
    let to = heap.length;
    heap.push(key);
    while (to > 0 && heap[(to - 1) >> 1] > key) {
      heap[to] = heap[(to - 1) >> 1];
      to = (to - 1) >> 1;
    }
    heap[to] = key;
  };
  const pop = (): number => {
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= last) break;
        heap[at] = heap[child];
        at = child;
      }
      heap[at] = last;
    }
    return top;
  };
  for (let i = 0; i + 1 < length; i++) push(i);
  while (heap.length > 0) {
    const key = pop();
    const at = key % length;
    const merged = (key - at) / length;
    const right = next[at];
    if (symbols[at] < 0 || right >= length || merges.get(symbols[at], symbols[right]) !== merged) continue;
    symbols[at] = merged;
    symbols[right] = -1;
    next[at] = next[right];
    if (next[at] < length) previous[next[at]] = at;
    push(previous[at]);
    push(at);
  }
  let to = 0;
  for (let i = 0; i < length; i++) if (symbols[i] >= 0) symbols[to++] = symbols[i];
  return to;
}

/** Merges `symbols[0 … length)` in place, always the pair of the lowest merged id first, leftmost first. Returns the length. */
export function mergePiece(symbols: Int32Array, length: number, merges: PairMap, longer = LONG_PIECE): number {
  if (length > longer) return mergeLongPiece(symbols, length, merges);
  while (length > 1) {
    let best = -1;
    for (let i = 0; i + 1 < length; i++) {
      const merged = merges.get(symbols[i], symbols[i + 1]);
      if (merged >= 0 && (best < 0 || merged < best)) best = merged;
    }
    if (best < 0) break;
    let to = 0;
    for (let i = 0; i < length; i++) {
      if (i + 1 < length && merges.get(symbols[i], symbols[i + 1]) === best) {
        symbols[to++] = best;
        i++;
      } else symbols[to++] = symbols[i];
    }
    length = to;
  }
  return length;
}

/** Pieces that are remembered: with so many they are forgotten, and those that are common soon known again. Some 20 MB. */
const CACHE_LIMIT = (1 << 18) - 1;
/** Longer pieces hardly come twice. */
const LONGEST_KEPT = 255;
/** Room for so many ids is kept from text to text. */
const KEPT_IDS = 1 << 20;

/** The end of the piece that begins at `start` (start < end). */
export type PieceEnd = (bytes: Uint8Array, start: number, end: number) => number;

/**
 * Encodes text piece by piece, each different piece once. What pieces spell and become lies end to end in two arrays: text is full of short
 * pieces, and objects for them would cost more than the work itself.
 */
export class PieceEncoder {
  readonly #byteIds: Int32Array;
  readonly #merges: PairMap;
  readonly #pieceEnd: PieceEnd;
  #slots = new Int32Array(1 << 16);
  /** Of piece p (from 1): its hash, where it is spelt and how long it is, where its ids are and how many: five numbers each. */
  #pieces = new Int32Array(5 << 15);
  #count = 0;
  #spelt = new Uint8Array(1 << 18);
  #speltUsed = 0;
  #kept = new Int32Array(1 << 17);
  #keptUsed = 0;
  #scratch = new Int32Array(256);
  #ids = new Int32Array(1 << 12);
  /** Of these by the last text. */
  #used = 0;

  readonly #most: number;

  /** @param most pieces that are remembered; for tests */
  constructor(byteIds: Int32Array, merges: PairMap, pieceEnd: PieceEnd, most = CACHE_LIMIT) {
    this.#most = most;
    this.#byteIds = byteIds;
    this.#merges = merges;
    this.#pieceEnd = pieceEnd;
  }

  encode(bytes: Uint8Array): Int32Array {
    return this.view(bytes).slice();
  }

  /** As `encode`, in memory that the next call writes to. */
  view(bytes: Uint8Array): Int32Array {
    if (this.#used > KEPT_IDS) this.#ids = new Int32Array(KEPT_IDS);
    const pieceEnd = this.#pieceEnd;
    const total = bytes.length;
    let length = 0;
    for (let at = 0; at < total;) {
      const end = pieceEnd(bytes, at, total);
      // A piece has no more ids than bytes.
      if (length + end - at > this.#ids.length) this.#growIds(length, length + end - at);
      length = this.#piece(bytes, at, end, length);
      at = end;
    }
    this.#used = length;
    return this.#ids.subarray(0, length);
  }

  /** Writes the ids of one piece at `to` of the list; returns where they end. */
  #piece(bytes: Uint8Array, start: number, end: number, to: number): number {
    const size = end - start;
    if (size > LONGEST_KEPT) return this.#compute(bytes, start, end, to);
    let hash = size;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const pieces = this.#pieces;
    const spelt = this.#spelt;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let piece = slots[slot]!; piece !== 0; slot = (slot + 1) & mask, piece = slots[slot]!) {
      const base = 5 * piece;
      if (pieces[base] !== hash || pieces[base + 2] !== size) continue;
      const from = pieces[base + 1]!;
      let i = 0;
      while (i < size && spelt[from + i] === bytes[start + i]) i++;
      if (i < size) continue;
      const ids = this.#ids;
      const begin = pieces[base + 3]!;
      const stop = begin + pieces[base + 4]!;
      for (let k = begin; k < stop; k++) ids[to++] = this.#kept[k]!;
      return to;
    }
    const stop = this.#compute(bytes, start, end, to);
    if (this.#count >= this.#most) {
      this.#forget();
      slot = hash & mask;
    }
    this.#keep(bytes, start, end, hash, slot, to, stop);
    return stop;
  }

  #compute(bytes: Uint8Array, start: number, end: number, to: number): number {
    const size = end - start;
    if (size > this.#scratch.length) this.#scratch = new Int32Array(size * 2);
    const scratch = this.#scratch;
    for (let i = 0; i < size; i++) scratch[i] = this.#byteIds[bytes[start + i]!]!;
    const length = mergePiece(scratch, size, this.#merges);
    for (let i = 0; i < length; i++) this.#ids[to + i] = scratch[i]!;
    return to + length;
  }

  #keep(bytes: Uint8Array, start: number, end: number, hash: number, slot: number, from: number, to: number): void {
    const piece = ++this.#count;
    this.#pieces = grown(this.#pieces, 5 * (piece + 1));
    this.#spelt = grown(this.#spelt, this.#speltUsed + end - start);
    this.#kept = grown(this.#kept, this.#keptUsed + to - from);
    this.#pieces.set([hash, this.#speltUsed, end - start, this.#keptUsed, to - from], 5 * piece);
    for (let i = start; i < end; i++) this.#spelt[this.#speltUsed++] = bytes[i]!;
    for (let i = from; i < to; i++) this.#kept[this.#keptUsed++] = this.#ids[i]!;
    this.#slots[slot] = piece;
    if (2 * piece > this.#slots.length) this.#rehash();
  }

  #forget(): void {
    this.#slots.fill(0);
    this.#count = 0;
    this.#speltUsed = 0;
    this.#keptUsed = 0;
  }

  #rehash(): void {
    const slots = new Int32Array(4 * this.#slots.length);
    const mask = slots.length - 1;
    for (let piece = 1; piece <= this.#count; piece++) {
      let slot = this.#pieces[5 * piece]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = piece;
    }
    this.#slots = slots;
  }

  #growIds(used: number, needed: number): void {
    const larger = new Int32Array(Math.max(2 * this.#ids.length, needed));
    larger.set(this.#ids.subarray(0, used));
    this.#ids = larger;
  }
}
