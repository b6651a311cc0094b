/** Whole files: in memory, or their checksum. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';

const PIECE = 1 << 30;

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Length and SHA-256 of a file, which is read piece by piece. */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads a whole file into memory of its own (aligned for typed arrays). Null when it does not exist. */
export async function readWhole(path: string): Promise<Uint8Array | null> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(PIECE, size - at), at);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** A file that is longer than what it is for. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** Bytes of UTF-8 for one character of JavaScript. */
const MOST_WIDTH = 3;

/**
 * Reads a short text, never more than `most` characters may have: whatever the path leads to, it takes little memory and time.
 * @param pipes whether a pipe or a terminal is read too, which may wait for its other end
 * @throws TooLongError, an Error for what is no file, what the file system says
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
    const text = Buffer.concat(parts).toString('utf8');
    if (bytes > limit || text.length > most)
      throw new TooLongError(`is too long: more than ${most.toLocaleString('en')} characters`);
    return text;
  } finally {
    await handle.close();
  }
}
