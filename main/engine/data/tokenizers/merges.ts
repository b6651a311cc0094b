/** Applies byte-pair merges: shared by the tokenizer trained here and by GPT-2's. */
import { PieceTable } from './pieces.ts';

/** (left id, right id) → merged id, by open addressing. */
export class PairMap {
  #left = new Int32Array(1 << 12).fill(-1);
  #right = new Int32Array(1 << 12);
  #value = new Int32Array(1 << 12);
  #size = 0;

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

/** Pieces beyond this many are encoded without being remembered, so that memory stays bounded. */
const CACHE_LIMIT = 1 << 21;

/** Encodes pieces, each different piece once. */
export class PieceEncoder {
  readonly #byteIds: Int32Array;
  readonly #merges: PairMap;
  readonly #table = new PieceTable();
  readonly #cache: Int32Array[] = [];
  #scratch = new Int32Array(256);

  constructor(byteIds: Int32Array, merges: PairMap) {
    this.#byteIds = byteIds;
    this.#merges = merges;
  }

  /** Token ids of one piece. The array belongs to the cache: don't change it. */
  encode(bytes: Uint8Array, start: number, end: number): Int32Array {
    if (this.#table.size >= CACHE_LIMIT) return this.#compute(bytes, start, end);
    const index = this.#table.index(bytes, start, end);
    return (this.#cache[index] ??= this.#compute(bytes, start, end));
  }

  #compute(bytes: Uint8Array, start: number, end: number): Int32Array {
    const length = end - start;
    if (length > this.#scratch.length) this.#scratch = new Int32Array(length * 2);
    for (let i = 0; i < length; i++) this.#scratch[i] = this.#byteIds[bytes[start + i]];
    return this.#scratch.slice(0, mergePiece(this.#scratch, length, this.#merges));
  }
}

/** A growing list of token ids. */
export class IdList {
  #ids: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.#ids = new Int32Array(Math.max(16, capacity));
  }

  append(ids: Int32Array): void {
    if (this.length + ids.length > this.#ids.length) {
      const larger = new Int32Array(Math.max(this.#ids.length * 2, this.length + ids.length));
      larger.set(this.#ids.subarray(0, this.length));
      this.#ids = larger;
    }
    // Pieces are short: a loop is faster than `set`.
    for (let i = 0; i < ids.length; i++) this.#ids[this.length++] = ids[i];
  }

  take(): Int32Array {
    return this.#ids.slice(0, this.length);
  }
}
