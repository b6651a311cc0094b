/** Which encoding the bytes of a text have: by their mark, else UTF-8. What else they look like is said, not guessed. */

/** Encodings that a byte-order mark names. */
export type MarkedEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be' | 'gb18030';

const MARKS: readonly (readonly [mark: readonly number[], encoding: MarkedEncoding])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe, 0, 0], 'utf-32le'],
  [[0, 0, 0xfe, 0xff], 'utf-32be'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0x84, 0x31, 0x95, 0x33], 'gb18030'],
];

const begins = (bytes: Uint8Array, mark: readonly number[]): boolean =>
  bytes.length >= mark.length && mark.every((byte, i) => bytes[i] === byte);

/** The encoding that a byte-order mark names. */
export const markOf = (bytes: Uint8Array): MarkedEncoding | null =>
  MARKS.find(([mark]) => begins(bytes, mark))?.[1] ?? null;

/** Of a text, letters, digits, signs and spaces are most; of anything else read as text they are not. */
function readsAsText(text: string): boolean {
  if (text.length < 4) return false;
  const ordinary = text.match(/[\p{L}\p{N}\p{P}\p{Zs}\p{M}\t\n\r]/gu)?.length ?? 0;
  return ordinary >= 0.97 * [...text].length;
}

const decode = (label: string, bytes: Uint8Array): string | null => {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

/**
 * UTF-16 or UTF-32 without a mark: zero bytes in the same half of every unit, and what comes out reads as text. For words in a
 * refusal only.
 */
export function unmarkedEncoding(head: Uint8Array): Exclude<MarkedEncoding, 'utf-8' | 'gb18030'> | null {
  const bytes = head.subarray(0, Math.min(head.length, 4096) & ~3);
  const zeros = [0, 0, 0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i & 3]++;
  const quarter = bytes.length / 4;
  if (quarter < 1) return null;
  if (zeros[2] >= 0.9 * quarter && zeros[3] === quarter && zeros[0] < 0.1 * quarter) return 'utf-32le';
  if (zeros[1] >= 0.9 * quarter && zeros[0] === quarter && zeros[3] < 0.1 * quarter) return 'utf-32be';
  const even = zeros[0] + zeros[2];
  const odd = zeros[1] + zeros[3];
  const text = (encoding: MarkedEncoding) => readsAsText(decode(encoding, bytes) ?? '');
  if (odd > 0 && even === 0 && text('utf-16le')) return 'utf-16le';
  if (even > 0 && odd === 0 && text('utf-16be')) return 'utf-16be';
  return null;
}

/**
 * UTF-32 as text. Numbers that are no characters become U+FFFD; bytes after the last whole character are left out. `first`: the byte at which
 * the first number stands that is no character, or is NUL; −1 where there is none.
 */
export function fromUtf32(bytes: Uint8Array, bigEndian: boolean): { text: string; replaced: number; first: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  let replaced = 0;
  let first = -1;
  for (let i = 0; i + 4 <= bytes.length; i += 4) {
    const point = view.getUint32(i, !bigEndian);
    const valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (!valid) replaced++;
    if (first < 0 && (!valid || point === 0)) first = i;
    text += String.fromCodePoint(valid ? point : 0xfffd);
  }
  return { text, replaced, first };
}

/** Bytes that are no text that can be read; the message completes `FILE cannot be read: …`. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

/** What a short text is handed over as by mistake, by its first bytes. */
const OTHERS: readonly (readonly [start: string, what: string])[] = [
  ['\x1f\x8b', 'it is compressed with gzip; unpack it first: gzip -d'],
  ['\x28\xb5\x2f\xfd', 'it is compressed with zstd; unpack it first: zstd -d'],
  ['\xfd7zXZ\0', 'it is compressed with xz; unpack it first: xz -d'],
  ['BZh', 'it is compressed with bzip2; unpack it first: bzip2 -d'],
  ['PK\x03\x04', 'it is a ZIP archive (or a document of Office); unpack it first: unzip'],
  ['%PDF-', 'it is a PDF document; save its text as UTF-8'],
  ['SQLite format 3\0', 'it is an SQLite database'],
];

/** Whether no text in any encoding of bytes holds so many control characters (but for tab, line ends, form feed and escape). */
function isBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 1 << 16);
  let count = 0;
  for (const byte of head)
    if (byte < 9 || byte === 11 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32) || byte === 127) count++;
  return count > 0.01 * head.length;
}

/**
 * A short text (settings, a sweep, a recipe, a table of results) as people hand it over: UTF-8, or any encoding that its byte-order mark
 * names. The mark is no part of the text.
 * @throws EncodingError that says what it is instead, and where the first byte stands that is none
 */
export function textOf(bytes: Uint8Array): string {
  const mark = markOf(bytes);
  if (mark === 'utf-32le' || mark === 'utf-32be') {
    const { text, replaced } = fromUtf32(bytes.subarray(4), mark === 'utf-32be');
    if (replaced > 0 || bytes.length % 4 !== 0) throw damagedBy(mark);
    return withoutNul(text);
  }
  // A decoder takes the mark away.
  const text = decode(mark ?? 'utf-8', bytes);
  if (mark !== null && mark !== 'utf-8') {
    if (text === null) throw damagedBy(mark);
    return withoutNul(text);
  }
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const other = OTHERS.find(([signature]) => start.startsWith(signature) && (signature !== 'BZh' || text === null));
  if (other !== undefined) throw new EncodingError(other[1]);
  if (text !== null && !text.includes('\0')) return text;
  const unmarked = unmarkedEncoding(bytes);
  if (unmarked !== null)
    throw new EncodingError(`it looks like ${unmarked.toUpperCase()} without a byte-order mark; save it as UTF-8`);
  if (isBinary(bytes)) throw new EncodingError('it is binary data, not text');
  if (text !== null) return withoutNul(text);
  const line = lineOf(bytes);
  throw new EncodingError(
    `it is not UTF-8 (first on line ${line}), as of Latin-1, Windows-1252 or another encoding; save it as UTF-8: iconv -f latin1 -t utf-8`,
  );
}

const damagedBy = (mark: MarkedEncoding): EncodingError =>
  new EncodingError(`its byte-order mark says ${mark.toUpperCase()}, but not all of it is; save it as UTF-8`);

/** @throws EncodingError with the line of the first NUL, which no editor shows */
function withoutNul(text: string): string {
  const at = text.indexOf('\0');
  if (at < 0) return text;
  throw new EncodingError(`it holds a NUL character on line ${text.slice(0, at).split('\n').length}; take it out`);
}

/** The first line, from 1, with bytes that are no UTF-8. */
function lineOf(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    if (decode('utf-8', bytes.subarray(from, to)) === null) return line;
    from = to;
  }
  return line;
}
