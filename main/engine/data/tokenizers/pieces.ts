/**
 * Pre-tokenization: text is cut into pieces that merges never cross, by a rule like GPT-2's and GPT-4's but on bytes, so that
 * every byte belongs to exactly one piece whether or not the text is valid UTF-8:
 *
 *   's 't 'm 'd 'll 're 've  |  [space] letters  |  [space] up to 3 digits  |  [space] other signs  |  white space
 *
 * Bytes ≥ 0x80 count as letters, except the general punctuation U+2000–U+203F (E2 80 xx: dashes, curly quotes, ellipsis).
 * White space before a word leaves its last space to the word. Pieces are at most MAX_PIECE bytes, cut between characters.
 */
import { grown } from '../grown.ts';

export const MAX_PIECE = 64;

const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const SPACE = 3;

const CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if ((byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte >= 128) CLASS[byte] = LETTER;
  else if (byte >= 48 && byte <= 57) CLASS[byte] = DIGIT;
  else if (byte === 32 || (byte >= 9 && byte <= 13)) CLASS[byte] = SPACE;
}

const isPunctuation = (bytes: Uint8Array, at: number, end: number) =>
  bytes[at] === 0xe2 && at + 2 < end && bytes[at + 1] === 0x80 && bytes[at + 2] >= 0x80 && bytes[at + 2] < 0xc0;

const classAt = (bytes: Uint8Array, at: number, end: number) =>
  isPunctuation(bytes, at, end) ? OTHER : CLASS[bytes[at]];

/** Length of the contraction at the apostrophe `at`, or 0. */
function contraction(bytes: Uint8Array, at: number, end: number): number {
  const first = at + 1 < end ? bytes[at + 1] | 32 : 0;
  // s t m d
  if (first === 115 || first === 116 || first === 109 || first === 100) return 2;
  const second = at + 2 < end ? bytes[at + 2] | 32 : 0;
  // ll re ve
  if ((first === 108 && second === 108) || ((first === 114 || first === 118) && second === 101)) return 3;
  return 0;
}

/** End of the piece that begins at `start` (start < end). */
export function pieceEnd(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start];
  if (first === 39) {
    const length = contraction(bytes, start, end);
    if (length > 0) return start + length;
  }
  let at = start;
  if (first === 32 && start + 1 < end && classAt(bytes, start + 1, end) !== SPACE) at++;
  const kind = classAt(bytes, at, end);
  if (kind === SPACE) {
    const stop = Math.min(end, start + MAX_PIECE);
    while (at < stop && CLASS[bytes[at]] === SPACE) at++;
    // The last space goes with the word that follows, if one does and something is left.
    if (at < end && at > start + 1 && bytes[at - 1] === 32 && CLASS[bytes[at]] !== SPACE) at--;
    return at;
  }
  const stop = Math.min(end, kind === DIGIT ? at + 3 : start + MAX_PIECE);
  while (at < stop) {
    if (isPunctuation(bytes, at, end)) {
      if (kind !== OTHER || at + 3 > stop) break;
      at += 3;
    } else if (CLASS[bytes[at]] === kind) at++;
    else break;
  }
  // Cut between characters: a long run may have stopped inside one.
  if (at === start + MAX_PIECE && at < end && (bytes[at] & 0xc0) === 0x80) {
    let back = at;
    while (back > at - 3 && (bytes[back] & 0xc0) === 0x80) back--;
    if ((bytes[back] & 0xc0) === 0xc0 && back > start) at = back;
  }
  return at;
}

/** A hash table from pieces (byte strings) to dense indices 0, 1, 2 … in the order of first appearance. */
export class PieceTable {
  #slots = new Int32Array(1 << 16).fill(-1);
  #hashes = new Int32Array(1 << 15);
  #starts = new Uint32Array(1 << 15);
  #arena = new Uint8Array(1 << 20);
  #used = 0;
  size = 0;

  /** Index of bytes[start … end), added when new. */
  index(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    hash ^= hash >>> 15;
    const length = end - start;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot];
      if (index < 0) return this.#add(bytes, start, end, hash, slot);
      if (this.#hashes[index] !== hash) continue;
      const from = this.#starts[index];
      if (this.#starts[index + 1] - from !== length) continue;
      let i = 0;
      while (i < length && this.#arena[from + i] === bytes[start + i]) i++;
      if (i === length) return index;
    }
  }

  /** The bytes of piece `index` (a view, valid until the next `index`). */
  bytes(index: number): Uint8Array {
    return this.#arena.subarray(this.#starts[index], this.#starts[index + 1]);
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const index = this.size++;
    this.#hashes = grown(this.#hashes, index + 2);
    this.#starts = grown(this.#starts, index + 2);
    this.#arena = grown(this.#arena, this.#used + end - start);
    for (let i = start; i < end; i++) this.#arena[this.#used++] = bytes[i];
    this.#hashes[index] = hash;
    this.#starts[index + 1] = this.#used;
    this.#slots[slot] = index;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = this.#hashes[index] & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}
