/** Short texts that a user hands over: settings, sweeps, recipes, tables of results. */
import { open, stat } from 'node:fs/promises';
import { textOf } from '../../preload/shared/textEncoding.ts';
import { readProblem } from '../files/words.ts';

/** A file that is longer than what it is for. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** Bytes for one character of JavaScript: in UTF-32 four, in UTF-8 at most three. */
const MOST_WIDTH = 4;

/**
 * Reads a short text, never more than `most` characters may have: whatever the path leads to, it takes little memory and time.
 * @param pipes whether a pipe or a terminal is read too, which may wait for its other end
 * @throws TooLongError, EncodingError for what is no text, an Error for what is no file, what the file system says
 */
export async function readShort(path: string, most: number, { pipes = false } = {}): Promise<string> {
  // A look before opening: to open a pipe waits for its other end.
  if (!pipes && !(await stat(path)).isFile()) throw new Error('it is not a file');
  const limit = MOST_WIDTH * most;
  const handle = await open(path, 'r');
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(1 << 16), 0, 1 << 16, null);
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
      if (bytes > limit) break;
    }
    const text = bytes > limit ? '' : textOf(Buffer.concat(parts));
    if (bytes > limit || text.length > most)
      throw new TooLongError(`is too long: more than ${most.toLocaleString('en')} characters`);
    return text;
  } finally {
    await handle.close();
  }
}

/** Why {@link readShort} has failed, after the name of the file. */
export function whyUnread(error: unknown): string {
  if (error instanceof TooLongError) return error.message;
  return `cannot be read: ${readProblem(error)}`;
}
