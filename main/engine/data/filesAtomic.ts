/** Files that are either whole or not there: written beside their place and renamed. */
import { randomBytes } from 'node:crypto';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const MARK = '.tmp-';
const DAY = 24 * 3600 * 1000;

/** A name next to `path` that no other process uses. */
export const temporaryName = (path: string): string => `${path}${MARK}${process.pid}-${randomBytes(6).toString('hex')}`;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Says in words what a failed write means for the user; other errors are passed on. */
export function describeWriteError(error: unknown, path: string): Error {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Error(`The disk is full: ${path} could not be written. Free some space or choose another data folder.`, {
      cause: error,
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new Error(`No permission to write ${path}. Choose another data folder.`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** Writes a file and syncs it to disk. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    // One write may take at most 2 GiB.
    const step = 1 << 30;
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, at, Math.min(step, bytes.length - at), at);
      at += bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file atomically: readers see the old file, or the new one whole. */
export async function writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeSynced(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteError(error, path);
  }
}

/**
 * Makes a folder atomically. `fill` writes into a temporary folder, which then takes its place. When another process was
 * faster its folder stays: both hold the same content.
 */
export async function makeFolderAtomic(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await rename(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
      return stat(path).then(
        () => rm(temporary, { recursive: true, force: true }),
        () => Promise.reject(error),
      );
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw describeWriteError(error, path);
  }
}

/** Removes what interrupted processes left in a folder more than a day ago. */
export async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!basename(name).includes(MARK)) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => null);
    if (info !== null && Date.now() - info.mtimeMs > DAY) await rm(path, { recursive: true, force: true });
  }
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
    const step = 1 << 30;
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(step, size - at), at);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
