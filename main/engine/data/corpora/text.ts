/** Documents of text files, split at a separator, on bytes. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** Chunks of a file, decompressed when its name ends in .gz. */
export async function* fileChunks(path: string, onBytes?: (read: number) => void): AsyncGenerator<Buffer> {
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  if (onBytes !== undefined) {
    let read = 0;
    raw.on('data', (chunk) => onBytes((read += chunk.length)));
  }
  if (!path.endsWith('.gz')) {
    yield* raw as AsyncIterable<Buffer>;
    return;
  }
  const unzipped = createGunzip();
  raw.on('error', (error) => unzipped.destroy(error));
  raw.pipe(unzipped);
  try {
    yield* unzipped as AsyncIterable<Buffer>;
  } finally {
    raw.destroy();
  }
}

/** Turns the escapes \n \r \t \0 \\ of a setting into the characters, so that separators can be typed on a command line. */
export function unescapeSeparator(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' };
  return text.replace(/\\([nrt0\\])/g, (_, letter: string) => escapes[letter]);
}

const NEWLINE = 10;
const RETURN = 13;
const isBlank = (byte: number) => byte === 32 || byte === 9 || byte === RETURN;

/** The next blank line at or after `from`: [start, end) covers the line ends and blank lines around it, not the next indent. */
function blankLines(bytes: Buffer, from: number): [number, number] | null {
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    let end = at + 1;
    for (let next = end; next < bytes.length && (isBlank(bytes[next]) || bytes[next] === NEWLINE); next++)
      if (bytes[next] === NEWLINE) end = next + 1;
    if (end > at + 1) return [at > from && bytes[at - 1] === RETURN ? at - 1 : at, end];
  }
  return null;
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

/**
 * Splits a stream of bytes into documents. Separators belong to no document; empty documents are dropped.
 * The separator "\n\n" means one or more blank lines (empty or of spaces, with Unix or Windows line ends), also at the
 * end of the file; '' makes one document of all.
 */
export async function* splitDocuments(chunks: AsyncIterable<Buffer>, separator: string): AsyncGenerator<Buffer> {
  const needle = Buffer.from(separator, 'utf8');
  const byBlankLine = separator === '\n\n';
  /** The document so far, known to hold no separator. */
  let parts: Buffer[] = [];
  let tail: Buffer = Buffer.alloc(0);
  const finish = (end: Buffer): Buffer => {
    const document = parts.length === 0 ? end : Buffer.concat([...parts, end]);
    parts = [];
    return document;
  };
  const empty = (document: Buffer) =>
    document.length === 0 || (byBlankLine && openTail(document, needle, true) === document.length);
  for await (const chunk of chunks) {
    if (needle.length === 0) {
      parts.push(chunk);
      continue;
    }
    const window = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const closed = window.length - openTail(window, needle, byBlankLine);
    let begin = 0;
    for (;;) {
      let start: number;
      let end: number;
      if (byBlankLine) {
        const found = blankLines(window, begin);
        if (found === null || found[1] > closed) break;
        [start, end] = found;
      } else {
        start = window.indexOf(needle, begin);
        if (start < 0) break;
        end = start + needle.length;
      }
      const document = finish(window.subarray(begin, start));
      if (!empty(document)) yield document;
      begin = end;
    }
    const keep = Math.max(begin, closed);
    if (keep > begin) parts.push(window.subarray(begin, keep));
    tail = window.subarray(keep);
  }
  let last = finish(tail);
  if (byBlankLine) {
    // Spaces that end the last line stay, as everywhere; only line ends and blank lines go.
    const lineEnd = last.indexOf(NEWLINE, last.length - openTail(last, needle, true));
    if (lineEnd >= 0) last = last.subarray(0, last[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd);
  }
  if (!empty(last)) yield last;
}
