/**
 * The one form that every text has inside: UTF-8 without marks, with `\n` at the end of its lines. Bytes that are no UTF-8 stay
 * as they are, are counted, and refused when there are too many.
 */
import { isUtf8 } from 'node:buffer';
import { counted } from '../../../../preload/shared/format.ts';
import { invalidBytes, openCharacter } from '../utf8.ts';
import { markOf, unmarkedEncoding } from '../../../../preload/shared/textEncoding.ts';
import { describeUndecodable, toUtf8, WITH_NULS } from './encoding.ts';
import type { Decoded, Encoding } from './encoding.ts';
import { LIMITS } from '../limits.ts';

/** What happened to the text of one file. */
export class TextFacts {
  encoding: Encoding = 'utf-8';
  /** In UTF-8. */
  bytes = 0;
  /** As it is encoded, after decompression: those that whoever looks into the file finds there. */
  encodedBytes = 0;
  /** Byte-order marks that were taken out. */
  marks = 0;
  /** Line ends \r\n and \r that became \n. */
  lineEnds = 0;
  /** Bytes (or units of another encoding) that are no character, zero bytes among them. */
  undecodable = 0;
  zeros = 0;
  /** Where the first of these is, in bytes of the text as it is encoded; −1 where there is none. */
  firstUndecodable = -1;
  head: Buffer = Buffer.alloc(0);

  /** `3 of 90 bytes are NUL characters`, `2 of 90 bytes cannot be decoded, 1 is a NUL character`: NUL can be decoded, but is no text. */
  found(wrong = 'cannot be decoded'): string {
    const { undecodable, zeros, encodedBytes: bytes } = this;
    const nul = `${zeros === 1 ? 'is a NUL character' : 'are NUL characters'}`;
    const all = `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
    // Of other encodings the places are counted: how many bytes belong to one is not always known.
    const of = (n: number): string =>
      this.encoding === 'utf-8' ? `${n} of ${all}` : `${counted(n, 'place')} of the text (${all})`;
    if (zeros === undecodable) return `${of(zeros)} ${nul}`;
    return `${of(undecodable - zeros)} ${wrong}${zeros === 0 ? '' : `, ${zeros} ${nul}`}`;
  }

  /** Why this is no text that can be trained on; null where it is one. Of a part of a text, only where it is plain. */
  refusal(whole: boolean): { what: string; isText: boolean } | null {
    const { undecodable, bytes } = this;
    const share = bytes === 0 ? 0 : undecodable / bytes;
    const many = undecodable > LIMITS.undecodableFrom || share > 0.1;
    if (share <= (whole ? LIMITS.undecodable : 0.1) || !many) return null;
    const onlyNuls = this.zeros === undecodable && unmarkedEncoding(this.head) === null;
    const { what, isText } = onlyNuls ? { what: WITH_NULS, isText: false } : describeUndecodable(this.head);
    const percent = `${Number((100 * share).toPrecision(2))} %`;
    const name = this.encoding.toUpperCase();
    return {
      what: `not text in ${name}: ${what} (${this.found()}, ${percent}; first at byte ${this.firstUndecodable}).`,
      isText,
    };
  }
}

const NEWLINE = 10;
const RETURN = 13;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function countZeros(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) count++;
  return count;
}

/** Counts what is no text in bytes that end with a whole character. */
function examine(bytes: Buffer, facts: TextFacts): void {
  const zero = bytes.indexOf(0);
  const invalid = isUtf8(bytes) ? null : invalidBytes(bytes);
  if (zero >= 0 || invalid !== null) {
    const zeros = zero < 0 ? 0 : countZeros(bytes);
    facts.zeros += zeros;
    facts.undecodable += zeros + (invalid?.count ?? 0);
    const firsts = [zero, invalid?.first ?? -1].filter((at) => at >= 0);
    if (facts.firstUndecodable < 0) facts.firstUndecodable = facts.bytes + Math.min(...firsts);
  }
  facts.bytes += bytes.length;
  if (facts.encoding === 'utf-8') facts.encodedBytes = facts.bytes;
}

/** Writes `bytes` without marks and with \n for \r\n and \r. Ends neither with \r nor inside a mark. */
function rewrite(bytes: Buffer, facts: TextFacts): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  let nextMark = bytes.indexOf(MARK);
  let nextReturn = bytes.indexOf(RETURN);
  for (let from = 0; ;) {
    const mark = nextMark < 0 ? bytes.length : nextMark;
    const stop = Math.min(mark, nextReturn < 0 ? bytes.length : nextReturn);
    to += bytes.copy(out, to, from, stop);
    if (stop === bytes.length) return out.subarray(0, to);
    if (stop === mark) {
      facts.marks++;
      from = stop + MARK.length;
      nextMark = bytes.indexOf(MARK, from);
      continue;
    }
    facts.lineEnds++;
    out[to++] = NEWLINE;
    from = stop + (bytes[stop + 1] === NEWLINE ? 2 : 1);
    nextReturn = bytes.indexOf(RETURN, from);
  }
}

function clean(bytes: Buffer, facts: TextFacts): Buffer {
  examine(bytes, facts);
  const asIs = bytes.indexOf(RETURN) < 0 && bytes.indexOf(MARK) < 0;
  return asIs ? bytes : rewrite(bytes, facts);
}

/** Bytes at the end that mean something only together with what follows: a begun character, or \r before a possible \n. */
const openEnd = (bytes: Buffer) => (bytes.at(-1) === RETURN ? 1 : openCharacter(bytes));

/**
 * The chunks of a text in its inside form. A mark at the beginning decides the encoding, else `wanted`, else UTF-8.
 * `facts` is filled on the way; ask it for a `refusal` from time to time.
 */
export async function* cleanText(
  chunks: AsyncIterable<Buffer>,
  head: Buffer,
  wanted: Encoding | null,
  facts: TextFacts,
): AsyncGenerator<Buffer> {
  facts.encoding = markOf(head) ?? wanted ?? 'utf-8';
  facts.head = head;
  const onDecoded = ({ bytes, replaced, first }: Decoded) => {
    if (facts.firstUndecodable < 0) facts.firstUndecodable = first;
    facts.encodedBytes += bytes;
    facts.undecodable += replaced;
  };
  const decoded = facts.encoding === 'utf-8' ? chunks : toUtf8(chunks, facts.encoding, onDecoded);
  let carry: Buffer = Buffer.alloc(0);
  for await (const chunk of decoded) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const whole = bytes.length - openEnd(bytes);
    carry = Buffer.from(bytes.subarray(whole));
    const text = clean(bytes.subarray(0, whole), facts);
    if (text.length > 0) yield text;
  }
  if (carry.length > 0) yield clean(carry, facts);
}
