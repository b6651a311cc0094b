/** Plain text: documents are what a separator leaves. */
import type { Documents } from '../corpusBuilder.ts';
import { LIMITS } from '../limits.ts';
import type { Format, FormatInput } from './format.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  '0': '\0',
  '\\': '\\',
};

/** Turns the escapes \n \r \t \f \v \0 \\ \xHH \uHHHH of a setting into characters, so that any can be typed on a command line. */
export const unescapeSeparator = (text: string): string =>
  text.replace(
    /\\(?:([nrtfv0\\])|x([\da-f]{2})|u([\da-f]{4}))/gi,
    (whole, letter: string, byte: string, unit: string) =>
      letter === undefined ? String.fromCharCode(parseInt(byte ?? unit, 16)) : (ESCAPES[letter] ?? whole),
  );

/** A separator as it is looked for: escapes resolved, and every line end \n as in the text. */
export const separatorOf = (setting: string): string => unescapeSeparator(setting).replace(/\r\n?/g, '\n');

const NEWLINE = 10;
const isBlank = (byte: number) => byte === 32 || byte === 9;

/** The end of the blank lines at `from`, without the indent of the line that follows. */
function blankLinesEnd(bytes: Buffer, from: number): number {
  let end = from;
  for (let at = from; at < bytes.length && (isBlank(bytes[at]) || bytes[at] === NEWLINE); at++)
    if (bytes[at] === NEWLINE) end = at + 1;
  return end;
}

/** The line end at or after `from` that blank lines follow; −1 where there is none. */
function blankLines(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
    if (blankLinesEnd(bytes, at + 1) > at + 1) return at;
  return -1;
}

/** How many bytes at the end may belong to a separator that goes on in the next chunk. */
function openTail(bytes: Buffer, needle: Buffer, byBlankLine: boolean): number {
  if (!byBlankLine) return Math.min(bytes.length, needle.length - 1);
  let length = 0;
  while (length < bytes.length) {
    const byte = bytes[bytes.length - 1 - length];
    if (byte !== NEWLINE && !isBlank(byte)) break;
    length++;
  }
  return length;
}

/** Spaces without a line end that are held back at most; a longer run is text. */
const LONGEST_BLANK = 1 << 20;

/** A separator whose first or last character is a line end, where that line end is the border of the file or of another separator. */
class LineSeparator {
  readonly #needle: Buffer;
  readonly #beginsLine: boolean;
  readonly #endsLine: boolean;
  /** Whether the text stands at the beginning of a line that nothing was taken from. */
  #fresh: boolean;

  constructor(needle: Buffer) {
    this.#needle = needle;
    this.#beginsLine = needle.length > 1 && needle[0] === NEWLINE;
    this.#endsLine = needle.length > 1 && needle.at(-1) === NEWLINE;
    this.#fresh = this.#beginsLine;
  }

  /** How many bytes at `from` are a separator without its first line end; 0 where there is none (or not enough bytes to tell). */
  begins(bytes: Buffer, from: number): number {
    const length = this.#needle.length - 1;
    if (!this.#fresh || bytes.length - from < length) return 0;
    this.#fresh = false;
    return bytes.compare(this.#needle, 1, length + 1, from, from + length) === 0 ? length : 0;
  }

  /** After each separator. */
  passed(): void {
    this.#fresh = this.#beginsLine && this.#endsLine;
  }

  /** The end of the file without a separator that lacks its last line end. */
  withoutLast(tail: Buffer): Buffer {
    if (!this.#endsLine) return tail;
    const whole = this.#needle.subarray(0, -1);
    if (tail.subarray(-whole.length).equals(whole)) return tail.subarray(0, -whole.length);
    return this.#fresh && tail.equals(whole.subarray(1)) ? tail.subarray(0, 0) : tail;
  }
}

/**
 * Splits a stream of bytes into documents. Separators belong to no document; empty documents are dropped.
 * The separator "\n\n" means one or more blank lines (empty or of spaces), also at both ends of the file; '' makes one document of all.
 * A separator that begins or ends with a line end is (the end of) a line: it counts on the first and last line of the file as well, and
 * several lines of it may follow each other.
 */
export async function splitDocuments(
  chunks: AsyncIterable<Buffer>,
  separator: string,
  documents: Documents,
): Promise<void> {
  const needle = Buffer.from(separator, 'utf8');
  const byBlankLine = separator === '\n\n';
  const blank = (bytes: Buffer) => byBlankLine && openTail(bytes, needle, true) === bytes.length;
  /** Bytes of the open document that were handed on; spaces at its beginning are held back, as it may be nothing else. */
  let open = false;
  let held: Buffer[] = [];
  let tail: Buffer = Buffer.alloc(0);
  /** The blank lines of a separator may go on in the next chunk; those at the beginning of the file are one. */
  let skipping = byBlankLine;
  const asLine = new LineSeparator(byBlankLine ? Buffer.alloc(0) : needle);
  const part = (bytes: Buffer): boolean => {
    if (bytes.length === 0) return true;
    if (!open && blank(bytes)) {
      held.push(Buffer.from(bytes));
      return true;
    }
    open = true;
    const before = held;
    held = [];
    return before.every((piece) => documents.part(piece)) && documents.part(bytes);
  };
  const finish = (bytes: Buffer): boolean => {
    const more = open || held.length > 0 ? part(bytes) : blank(bytes) || documents.add(bytes);
    const closed = open ? documents.close() : true;
    open = false;
    if (held.length > 0) held = [];
    return more && closed;
  };
  for await (const chunk of chunks) {
    if (needle.length === 0) {
      open = true;
      if (!documents.part(chunk)) return;
      continue;
    }
    const window = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const closed = window.length - Math.min(LONGEST_BLANK, openTail(window, needle, byBlankLine));
    let begin: number = skipping ? blankLinesEnd(window, 0) : 0;
    skipping &&= begin >= closed;
    for (;;) {
      let start: number;
      let end: number;
      if (byBlankLine) {
        start = blankLines(window, begin);
        if (start < 0) break;
        end = blankLinesEnd(window, start + 1);
        skipping = end >= closed;
      } else {
        const own = asLine.begins(window, begin);
        start = own > 0 ? begin : window.indexOf(needle, begin);
        if (start < 0) break;
        end = own > 0 ? begin + own : start + needle.length;
        asLine.passed();
      }
      if (!finish(window.subarray(begin, start))) return;
      begin = end;
    }
    const keep = Math.max(begin, closed);
    if (keep > begin && !part(window.subarray(begin, keep))) return;
    tail = Buffer.from(window.subarray(keep));
  }
  if (byBlankLine) {
    // Spaces that end the last line stay, as everywhere; only line ends and blank lines go.
    const lineEnd = tail.indexOf(NEWLINE, tail.length - openTail(tail, needle, true));
    if (lineEnd >= 0) tail = tail.subarray(0, lineEnd);
  }
  finish(asLine.withoutLast(tail));
}

const JSON_LINES = 3;

/** Whether the first lines are one JSON object each: then the names of its fields would be trained on. */
function looksLikeJsonLines(head: Buffer): boolean {
  const lines = head
    .toString('utf8')
    .split('\n')
    .slice(0, JSON_LINES + 1);
  const whole = lines.length > JSON_LINES ? lines.slice(0, JSON_LINES) : lines;
  if (whole.length < 2) return false;
  return whole.every((line) => {
    if (!line.startsWith('{')) return false;
    try {
      return typeof JSON.parse(line) === 'object';
    } catch {
      return false;
    }
  });
}

async function* watched(input: FormatInput): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of input.text) {
    if (first && looksLikeJsonLines(chunk.subarray(0, LIMITS.head)))
      input.warn('looks like JSON lines but is read as plain text: set data.format to jsonl if it holds a table.');
    first = false;
    yield chunk;
  }
}

export const text: Format = {
  name: 'text',
  title: 'plain text',
  help: 'plain text, documents parted by data.separator',
  extensions: ['.txt', '.text', '.md', '.raw', '.tokens'],
  reads: 'text',
  read: (input, documents) => splitDocuments(watched(input), input.separator, documents),
};
