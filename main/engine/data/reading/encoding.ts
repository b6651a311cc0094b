/** Which encoding a text has: by its mark, by the setting `data.encoding`, else UTF-8. What else it looks like is said, not guessed. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
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

const MARKS: readonly (readonly [mark: readonly number[], encoding: Encoding])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe, 0, 0], 'utf-32le'],
  [[0, 0, 0xfe, 0xff], 'utf-32be'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0x84, 0x31, 0x95, 0x33], 'gb18030'],
];

/** The encoding that a byte-order mark names. */
export function markOf(head: Buffer): Encoding | null {
  for (const [mark, encoding] of MARKS)
    if (head.length >= mark.length && mark.every((byte, i) => head[i] === byte)) return encoding;
  return null;
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

/** Of a text, letters, digits, signs and spaces are most; of anything else read as text they are not. */
function readsAsText(text: string): boolean {
  if (text.length < 4) return false;
  const ordinary = text.match(/[\p{L}\p{N}\p{P}\p{Zs}\p{M}\t\n\r]/gu)?.length ?? 0;
  return ordinary >= 0.97 * [...text].length;
}

const decode = (label: string, bytes: Buffer): string | null => {
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
export function unmarkedEncoding(head: Buffer): Encoding | null {
  const bytes = head.subarray(0, Math.min(head.length, 4096) & ~3);
  const zeros = [0, 0, 0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i & 3]++;
  const quarter = bytes.length / 4;
  if (quarter < 1) return null;
  if (zeros[2] >= 0.9 * quarter && zeros[3] === quarter && zeros[0] < 0.1 * quarter) return 'utf-32le';
  if (zeros[1] >= 0.9 * quarter && zeros[0] === quarter && zeros[3] < 0.1 * quarter) return 'utf-32be';
  const even = zeros[0] + zeros[2];
  const odd = zeros[1] + zeros[3];
  const text = (encoding: Encoding) => readsAsText(decode(encoding, bytes) ?? '');
  if (odd > 0 && even === 0 && text('utf-16le')) return 'utf-16le';
  if (even > 0 && odd === 0 && text('utf-16be')) return 'utf-16be';
  return null;
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

/** UTF-32 to UTF-8. Numbers that are no characters become U+FFFD. */
function fromUtf32(bytes: Buffer, bigEndian: boolean): { text: string; replaced: number } {
  let text = '';
  let replaced = 0;
  for (let i = 0; i + 4 <= bytes.length; i += 4) {
    const point = bigEndian ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i);
    const valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (!valid) replaced++;
    text += String.fromCodePoint(valid ? point : 0xfffd);
  }
  return { text, replaced };
}

const REPLACED = /\uFFFD/g;

/**
 * Bytes of another encoding as UTF-8. What cannot be decoded becomes U+FFFD and is counted (`onReplaced`). The mark at the
 * beginning, and such marks in the middle, come out as U+FEFF.
 */
export async function* toUtf8(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
  onReplaced: (count: number) => void,
): AsyncGenerator<Buffer> {
  const wide = encoding.startsWith('utf-32');
  const decoder = wide ? null : new TextDecoder(encoding, { ignoreBOM: true });
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (decoder !== null) {
      const text = decoder.decode(chunk, { stream: true });
      onReplaced(text.match(REPLACED)?.length ?? 0);
      yield Buffer.from(text, 'utf8');
      continue;
    }
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const whole = bytes.length & ~3;
    const { text, replaced } = fromUtf32(bytes.subarray(0, whole), encoding === 'utf-32be');
    onReplaced(replaced);
    yield Buffer.from(text, 'utf8');
    carry = bytes.subarray(whole);
  }
  const rest = decoder?.decode() ?? (carry.length > 0 ? '\uFFFD' : '');
  if (rest !== '') {
    onReplaced(rest.match(REPLACED)?.length ?? 0);
    yield Buffer.from(rest, 'utf8');
  }
}
