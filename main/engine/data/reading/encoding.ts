/** Which encoding a text has: by its mark, by the setting `data.encoding`, else UTF-8. What else it looks like is said, not guessed. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { fromUtf32, markOf, unmarkedEncoding } from '../../../../preload/shared/textEncoding.ts';
import { LIMITS } from '../limits.ts';
import { openCharacter } from '../utf8.ts';

/** Values of `data.encoding`. All but the first five are decoded by the platform (WHATWG Encoding). */
export const ENCODINGS = [
  'auto',
  'utf-8',
  'utf-16le',
  'utf-16be',
  'utf-32le',
  'utf-32be',
  'windows-1252',
  'windows-1250',
  'windows-1251',
  'iso-8859-2',
  'iso-8859-15',
  'koi8-r',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'gb18030',
  'big5',
] as const;
export type Encoding = Exclude<(typeof ENCODINGS)[number], 'auto'>;

/** Whether a character takes two or four bytes, zeros among them. */
export const isWide = (encoding: Encoding): boolean => encoding.startsWith('utf-16') || encoding.startsWith('utf-32');

/** Whether bytes that shall be read in another encoding are UTF-8: characters of several bytes come so by design, hardly by chance. */
export function isUtf8Instead(head: Buffer, wanted: Encoding): boolean {
  const whole = head.subarray(0, head.length - openCharacter(head));
  if (!isUtf8(whole) || whole.length === 0) return false;
  if (isWide(wanted)) return !whole.includes(0);
  let begun = 0;
  for (const byte of whole) if (byte >= 0xc2) begun++;
  return begun >= 2;
}

/** The encoding that the mark of a file names; null also for a file that cannot be read, which is told when it is. */
export async function markAt(path: string): Promise<Encoding | null> {
  const file = await open(path).catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return markOf(buffer.subarray(0, bytesRead));
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

/** Share of bytes that no text in any encoding of bytes has: control characters but for tab, line ends, form feed and escape. */
function controls(head: Buffer): number {
  let count = 0;
  for (const byte of head)
    if (byte < 9 || byte === 11 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32) || byte === 127) count++;
  return head.length === 0 ? 0 : count / head.length;
}

/** Said of bytes that are UTF-8 but for NUL, which text does not hold. */
export const WITH_NULS = 'it is binary data (it holds NUL characters)';

/** What bytes that are no UTF-8 may be, a sentence, and whether `data.encoding` can help. */
export function describeUndecodable(head: Buffer): { what: string; isText: boolean } {
  const unmarked = unmarkedEncoding(head);
  if (unmarked !== null)
    return { what: `it looks like ${unmarked.toUpperCase()} without a byte-order mark`, isText: true };
  if (controls(head) > LIMITS.undecodable) return { what: 'it is binary data', isText: false };
  return { what: 'it is text in another encoding, or damaged', isText: true };
}

const REPLACED = /\uFFFD/g;
const NO_TEXT = /[\0\uFFFD]/;

/** What is told of a piece of a text in another encoding. */
export interface Decoded {
  /** Of the piece, as it is encoded. */
  readonly bytes: number;
  /** What could not be decoded, and became U+FFFD. */
  readonly replaced: number;
  /** The byte of the text, as it is encoded, at which something stands that cannot be decoded, or NUL; −1 where there is none. */
  readonly first: number;
}

/**
 * Bytes of another encoding as UTF-8. What cannot be decoded becomes U+FFFD and is counted (`onDecoded`). The mark at the
 * beginning, and such marks in the middle, come out as U+FEFF.
 */
export async function* toUtf8(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
  onDecoded: (decoded: Decoded) => void,
): AsyncGenerator<Buffer> {
  const decode = encoding.startsWith('utf-32')
    ? decodeUtf32
    : encoding.startsWith('utf-16')
      ? decodeUtf16
      : decodeBySystem;
  const pieces = decode(chunks, encoding);
  for await (const { text, ...decoded } of pieces) {
    onDecoded(decoded);
    if (text !== '') yield Buffer.from(text, 'utf8');
  }
}

/**
 * Chunks cut where characters end.
 * @param end how many bytes from the beginning are whole characters
 * @returns each with its place in the text and the bytes that came for it; at last what is left over, if anything is
 */
async function* atCharacters(
  chunks: AsyncIterable<Buffer>,
  end: (bytes: Buffer) => number,
): AsyncGenerator<{ whole: Buffer; before: number; bytes: number }> {
  let carry: Buffer = Buffer.alloc(0);
  let before = 0;
  for await (const chunk of chunks) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const whole = bytes.subarray(0, end(bytes));
    yield { whole, before, bytes: chunk.length };
    before += whole.length;
    carry = Buffer.from(bytes.subarray(whole.length));
  }
  if (carry.length > 0) yield { whole: carry, before, bytes: 0 };
}

async function* decodeUtf32(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
): AsyncGenerator<Decoded & { text: string }> {
  for await (const { whole, before, bytes } of atCharacters(chunks, ({ length }) => length & ~3)) {
    const { text, replaced, first } = fromUtf32(whole, encoding === 'utf-32be');
    yield { text, bytes, replaced, first: first < 0 ? -1 : before + first };
    if (whole.length % 4 > 0) yield halfACharacter(before + (whole.length & ~3));
  }
}

/** What a text that ends within a character ends with. */
const halfACharacter = (first: number): Decoded & { text: string } => ({
  text: '\uFFFD',
  bytes: 0,
  replaced: 1,
  first,
});

/** Halves of characters that stand alone. */
const LONE_SURROGATE = /\p{Surrogate}/gu;
const LONE_OR_NUL = /[\0\p{Surrogate}]/u;
const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800;

/** Not by the system's decoder: what that answers does not tell a U+FFFD that the text holds from one in the place of damage. */
async function* decodeUtf16(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
): AsyncGenerator<Decoded & { text: string }> {
  const isBig = encoding === 'utf-16be';
  // The second half of a character may come with the next chunk.
  const end = (bytes: Buffer): number => {
    const whole = bytes.length & ~1;
    if (whole === 0) return 0;
    const last = isBig ? bytes.readUInt16BE(whole - 2) : bytes.readUInt16LE(whole - 2);
    return isHighSurrogate(last) ? whole - 2 : whole;
  };
  for await (const { whole, before, bytes } of atCharacters(chunks, end)) {
    const units = whole.subarray(0, whole.length & ~1);
    const text = (isBig ? Buffer.from(units).swap16() : units).toString('utf16le');
    const at = text.search(LONE_OR_NUL);
    const replaced = text.match(LONE_SURROGATE)?.length ?? 0;
    yield { text: text.toWellFormed(), bytes, replaced, first: at < 0 ? -1 : before + 2 * at };
    if (whole.length > units.length) yield halfACharacter(before + units.length);
  }
}

/** No character of the encodings that the system decodes is longer. */
const LONGEST = 4;

async function* decodeBySystem(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
): AsyncGenerator<Decoded & { text: string }> {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  /** Bytes of the text by now, and its last ones: a character may have begun in them. */
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  const piece = (text: string, chunk: Buffer, ends: boolean) => {
    const at = text.search(NO_TEXT);
    const first = at < 0 ? -1 : bytes + byteAt(encoding, tail, chunk, text, at, ends);
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk.subarray(-LONGEST)]).subarray(-LONGEST);
    return { text, bytes: chunk.length, replaced: text.match(REPLACED)?.length ?? 0, first };
  };
  for await (const chunk of chunks) yield piece(decoder.decode(chunk, { stream: true }), chunk, false);
  yield piece(decoder.decode(), Buffer.alloc(0), true);
}

/**
 * At which byte of `chunk` the character begins that became unit `at` of its `text`; below 0 where it began in the `tail` before it.
 * Characters have different lengths, which nothing tells but decoding: of the beginnings of a chunk, the shortest that gives so many units.
 */
function byteAt(encoding: Encoding, tail: Buffer, chunk: Buffer, text: string, at: number, ends: boolean): number {
  const decoded = (bytes: Buffer, stream: boolean): string =>
    new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes, { stream });
  const from = (length: number): Buffer => Buffer.concat([tail.subarray(tail.length - length), chunk]);
  // So many bytes of the tail were not through yet: with them the chunk gives its text.
  let begun = 0;
  while (begun < tail.length && decoded(from(begun), !ends) !== text) begun++;
  const bytes = from(begun);
  let [low, high] = [0, bytes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (decoded(bytes.subarray(0, middle), true).length >= at) high = middle;
    else low = middle + 1;
  }
  return low - begun;
}
