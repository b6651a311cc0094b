/** Files and folders that are either whole or not there: written beside their place, flushed to the disk, and renamed. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openFilesProblem } from './openFiles.ts';
import { processBegan } from './processBegan.ts';
import { PROCESS_TABLE } from './processTable.ts';
import { renameOver, renameOverSync } from './renaming.ts';

const MARK = '.tmp-';
const DAY = 24 * 3600 * 1000;
/** One write may take at most 2 GiB. */
const PIECE = 1 << 30;
/** Short texts are gathered to so many characters before they are written. */
const GATHERED = 1 << 20;

/** A name next to `path` that no other process uses, and that tells which process it is of. */
export const temporaryName = (path: string): string =>
  `${path}${MARK}${process.pid}-${PROCESS_TABLE}${randomBytes(4).toString('hex')}`;

/** What a write that was interrupted left behind. */
export const isTemporary = (name: string): boolean => name.includes(MARK);

/** Whether a name was made by {@link temporaryName} in the process of that id. */
export const madeBy = (name: string, pid: number): boolean =>
  new RegExp(`${MARK.replace('.', '\\.')}${pid}-[0-9a-f]{12}$`, 'u').test(name);

/** Whether the process that made the name is known to have ended: it will neither finish nor remove what has it. */
function isAbandoned(name: string): boolean {
  const [, pid, table] = /\.tmp-(\d+)-([0-9a-f]{4})[0-9a-f]{8}$/u.exec(name) ?? [];
  return table === PROCESS_TABLE && processBegan(Number(pid)) === undefined;
}

/** Says in words what a failed write means for the user; other errors are passed on. */
export function describeWriteError(error: unknown, path: string): Error {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Error(`The disk is full: ${path} could not be written. Free some space or choose another data folder.`, {
      cause: error,
    });
  if (code === 'EROFS')
    return new Error(`${path} could not be written: its disk can only be read. Choose another data folder.`, {
      cause: error,
    });
  if (code === 'EACCES' || code === 'EPERM')
    return new Error(`No permission to write ${path}. Choose another data folder.`, { cause: error });
  const many = openFilesProblem(error);
  if (many !== undefined) return new Error(`${path} could not be written: ${many}.`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

export type Content = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Writes everything; @returns the number of bytes. */
export async function writeAll(file: Pick<FileHandle, 'write'>, content: Content): Promise<number> {
  const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  let bytes = 0;
  let text = '';
  const put = async (chunk: Uint8Array): Promise<void> => {
    for (let done = 0; done < chunk.length;)
      done += (await file.write(chunk, done, Math.min(PIECE, chunk.length - done))).bytesWritten;
    bytes += chunk.length;
  };
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') {
      text += chunk;
      if (text.length < GATHERED) continue;
    }
    await put(Buffer.from(text));
    text = '';
    if (typeof chunk !== 'string') await put(chunk);
  }
  await put(Buffer.from(text));
  return bytes;
}

/** Writes a file in place and flushes it to the disk. @returns the number of bytes */
export async function writeSynced(path: string, content: Content, flags = 'w', mode?: number): Promise<number> {
  const file = await open(path, flags, mode);
  try {
    const bytes = await writeAll(file, content);
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

export interface AtomicOptions {
  /** Permissions of the new file or folder, less those that the process's mask takes away; as any new one has, unless given. */
  readonly mode?: number;
  /** Where it is written first, from {@link temporaryName}, for whoever must know the name. */
  readonly temporary?: string;
  /** False: the folder that a new folder lies in must be there; else it is made. */
  readonly parents?: boolean;
}

/**
 * Replaces a file: readers see the old one, or the new one whole. Its folder must exist. @returns the number of bytes
 * @throws what the file system says; the old file is then as it was
 */
export async function replaceFile(
  path: string,
  content: Content,
  { mode, temporary = temporaryName(path) }: AtomicOptions = {},
): Promise<number> {
  try {
    const bytes = await writeSynced(temporary, content, 'wx', mode);
    await renameOver(temporary, path);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** {@link replaceFile} for small texts at moments that cannot wait, such as an end. */
export function replaceFileSync(path: string, text: string, { mode }: AtomicOptions = {}): void {
  const temporary = temporaryName(path);
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameOverSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** {@link replaceFile} in a folder that is made where it is missing. @throws Error in words for the user */
export async function writeAtomic(path: string, content: Content): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, content);
  } catch (error) {
    throw describeWriteError(error, path);
  }
}

/** Flushes a folder's entries; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder that did not exist, or was empty: `fill` writes into a temporary one, which is flushed and takes the name. After a crash at
 * any moment it is there with all that `fill` flushed, or not at all.
 * @throws what the file system says, EEXIST or ENOTEMPTY where there is one that is not empty
 */
export async function makeFolder(
  path: string,
  fill: (folder: string) => Promise<void>,
  { mode, temporary = temporaryName(path), parents = true }: AtomicOptions = {},
): Promise<void> {
  try {
    await mkdir(temporary, { recursive: parents, mode });
    await fill(temporary);
    await syncFolder(temporary);
    await renameOver(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * {@link makeFolder} where another process may make the same: when it was faster its folder stays, since both hold the same content.
 * @throws Error in words for the user
 */
export async function makeFolderOnce(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  try {
    await makeFolder(path, fill);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const taken = ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(code) && (await stat(path).catch(() => null)) !== null;
    if (!taken) throw describeWriteError(error, path);
  }
}

/** Removes what interrupted writes left in a folder: of processes that have ended, and whatever was begun more than `olderThan` ms ago. */
export async function removeStale(folder: string, olderThan = DAY): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter(isTemporary)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => null);
    if (info === null) continue;
    // Where nothing can be removed, whoever comes to write says so.
    if (isAbandoned(name) || Date.now() - info.mtimeMs >= olderThan)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** {@link removeStale} in a folder and all below it. */
export async function removeStaleBelow(folder: string): Promise<void> {
  await removeStale(folder);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isDirectory() && !isTemporary(entry.name)) await removeStaleBelow(join(folder, entry.name));
}
