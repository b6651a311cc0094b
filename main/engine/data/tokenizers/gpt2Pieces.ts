/**
 * GPT-2's own pre-tokenization rule, on bytes:
 *
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * White space is Unicode's White_Space, which is what the regular expressions of Python and Rust mean by \s: JavaScript's \s has U+FEFF, which it
 * lacks, and lacks U+0085, which it has. A byte that belongs to no character is a piece by itself, and the text before it ends there.
 */

const OTHER = 0;
const LETTER = 1;
const NUMBER = 2;
const SPACE = 3;
/** A byte that is no character; also what stands behind the end. */
const NONE = 4;

const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/\p{L}+/gu, LETTER],
  [/\p{N}+/gu, NUMBER],
  [/\p{White_Space}+/gu, SPACE],
];
/** No letter, number or white space lies in the planes from here on. */
const PLANES = 0x40000;
const CHUNK = 0x1000;

let classes: Uint8Array | undefined;

/** The class of each code point. */
function classTable(): Uint8Array {
  if (classes !== undefined) return classes;
  const table = new Uint8Array(PLANES);
  for (let from = 0; from < PLANES; from += CHUNK) {
    if (from >= 0xd000 && from < 0xe000) {
      // Half surrogate pairs are no characters.
      fill(table, from, 0xd800);
      continue;
    }
    fill(table, from, from + CHUNK);
  }
  return (classes = table);
}

function fill(table: Uint8Array, from: number, to: number): void {
  const points = String.fromCodePoint(...Array.from({ length: to - from }, (_, i) => from + i));
  const units = from >= 0x10000 ? 2 : 1;
  for (const [pattern, value] of CLASSES)
    for (const { 0: run, index } of points.matchAll(pattern))
      table.fill(value, from + index / units, from + (index + run.length) / units);
}

/** Length of the contraction at the apostrophe `at`, or 0. */
function contraction(bytes: Uint8Array, at: number, end: number): number {
  const first = at + 1 < end ? bytes[at + 1] : 0;
  // s t m d
  if (first === 115 || first === 116 || first === 109 || first === 100) return 2;
  const second = at + 2 < end ? bytes[at + 2] : 0;
  // re ve ll
  return ((first === 114 || first === 118) && second === 101) || (first === 108 && second === 108) ? 3 : 0;
}

/** Makes the function that gives the end of the piece which begins at `start` (start < end). */
export function gpt2PieceEnd(): (bytes: Uint8Array, start: number, end: number) => number {
  const table = classTable();
  const ascii = table.slice(0, 128);
  /** Bytes of the character that was looked at last. */
  let size = 1;

  /** The class of the character at `at`, one that is not ASCII. */
  const wide = (bytes: Uint8Array, at: number, end: number): number => {
    const lead = bytes[at]!;
    size = 1;
    if (lead < 0xc2 || lead > 0xf4) return NONE;
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + length > end) return NONE;
    const second = bytes[at + 1]!;
    if ((second & 0xc0) !== 0x80) return NONE;
    let point = ((lead & (0x7f >> length)) << 6) | (second & 0x3f);
    for (let i = 2; i < length; i++) {
      const next = bytes[at + i]!;
      if ((next & 0xc0) !== 0x80) return NONE;
      point = (point << 6) | (next & 0x3f);
    }
    // Overlong forms, surrogates and numbers beyond the last code point.
    if (length === 3 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) return NONE;
    if (length === 4 && (point < 0x10000 || point > 0x10ffff)) return NONE;
    size = length;
    return point < PLANES ? table[point]! : OTHER;
  };
  const classAt = (bytes: Uint8Array, at: number, end: number): number => {
    if (at >= end) return NONE;
    const byte = bytes[at]!;
    if (byte >= 128) return wide(bytes, at, end);
    size = 1;
    return ascii[byte]!;
  };

  return (bytes, start, end) => {
    let at = start;
    const first = bytes[start]!;
    if (first === 39) {
      const length = contraction(bytes, start, end);
      if (length > 0) return start + length;
    }
    let kind = classAt(bytes, start, end);
    if (first === 32) {
      const next = classAt(bytes, start + 1, end);
      if (next < SPACE) {
        kind = next;
        at++;
      } else size = 1;
    }
    if (kind === NONE) return start + 1;
    let last = at;
    at += size;
    for (;;) {
      const byte = at < end ? bytes[at]! : 255;
      if (byte < 128) {
        if (ascii[byte] !== kind) break;
        last = at++;
      } else if (classAt(bytes, at, end) === kind) {
        last = at;
        at += size;
      } else break;
    }
    if (kind !== SPACE || classAt(bytes, at, end) === NONE) return at;
    // White space before a word leaves its last character to what follows.
    return last > start ? last : at;
  };
}
