/** Writing an export: a new file or folder appears complete or not at all; appending checks that the columns are the same. */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder, replaceFile, temporaryName, writeAll } from '../../files/atomic.ts';
import { noteTemporary } from '../../files/leftovers.ts';
import { readProblem, writeProblem } from '../../files/words.ts';
import type { ExportFile, Piece } from './exchange.ts';

/** An export that cannot be written as asked; nothing was changed. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

export interface WriteOptions {
  /** Adds to a file that exists; its header must be the first piece. */
  readonly append?: boolean;
  /** Folder where the temporary file is noted until it is whole, so that one that was left by a kill is found (files/leftovers.ts). */
  readonly notes?: string;
}

/** Writes pieces; when it appends, the first must be the header line. @returns the number of bytes written */
export async function writeExport(
  path: string,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
  { append = false, notes }: WriteOptions = {},
): Promise<number> {
  requireName(path);
  const parts = Symbol.iterator in pieces ? pieces[Symbol.iterator]() : pieces[Symbol.asyncIterator]();
  const first = await parts.next();
  const header = first.done === true ? '' : first.value;
  const found = await fileState(path);
  if (append && found !== undefined && found.bytes > 0) {
    if (typeof header !== 'string') throw new ExportError(`${path}: nothing can be added to files of this format`);
    const existing = await firstLine(path);
    if (existing !== header.trimEnd()) throw new ExportError(headerMismatch(path, existing, header.trimEnd()));
    const file = await open(path, 'a').catch(async (error: unknown) => {
      throw await placeError(path, error);
    });
    try {
      return await writeAll(file, all(found.endsLine ? '' : '\n', parts));
    } catch (error) {
      // What the disk still took may end amid a row, which the next one would be joined to.
      if (isOfDisk(error)) await file.truncate(found.bytes).catch(() => undefined);
      throw await placeError(path, error);
    } finally {
      await file.close();
    }
  }
  const temporary = temporaryName(path);
  const forget = notes === undefined ? undefined : await noteTemporary(notes, temporary);
  try {
    return await replaceFile(path, all(header, parts), { mode: 0o600, temporary });
  } catch (error) {
    throw await placeError(path, error);
  } finally {
    await forget?.();
  }
}

/**
 * Writes a folder of files. It must not be there, or be empty. @returns the number of bytes written
 * @throws ExportError where it cannot be; then nothing was changed
 */
export async function writeExportFolder(
  path: string,
  files: Iterable<ExportFile>,
  { notes }: Pick<WriteOptions, 'notes'> = {},
): Promise<number> {
  requireName(path);
  await checkFree(path);
  const temporary = temporaryName(resolve(path));
  const forget = notes === undefined ? undefined : await noteTemporary(notes, temporary);
  let bytes = 0;
  const fill = async (folder: string): Promise<void> => {
    bytes = await writeFiles(folder, files);
    // An empty one that is there stands in the way on some systems.
    await rmdir(path).catch(() => undefined);
  };
  try {
    await makeFolder(resolve(path), fill, { mode: 0o700, temporary });
    return bytes;
  } catch (error) {
    throw await placeError(path, error);
  } finally {
    await forget?.();
  }
}

/** Many small files are flushed together: one after another, each would wait for the disk. */
const FLUSHED_TOGETHER = 32;

/** @returns the number of bytes */
async function writeFiles(folder: string, files: Iterable<ExportFile>): Promise<number> {
  let bytes = 0;
  const flushing = new Set<Promise<void>>();
  try {
    for (const { path, pieces } of files) {
      const target = join(folder, ...path.split('/'));
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const file = await open(target, 'wx', 0o600);
      try {
        bytes += await writeAll(file, pieces);
      } finally {
        const flushed = flushAndClose(file).finally(() => flushing.delete(flushed));
        flushing.add(flushed);
      }
      if (flushing.size >= FLUSHED_TOGETHER) await Promise.race(flushing);
    }
    await Promise.all(flushing);
    return bytes;
  } finally {
    // Nothing is left open, and none fails unheard, when another has failed.
    await Promise.allSettled(flushing);
  }
}

async function flushAndClose(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** An empty one would be the folder in which one stands. */
function requireName(path: string): void {
  if (path === '') throw new ExportError('the name of the export is empty; allowed: the path of a file or folder');
}

async function checkFree(path: string): Promise<void> {
  if (!(await isFolder(dirname(resolve(path)))))
    throw new ExportError(`${path} cannot be written: there is no folder ${dirname(path)}`);
  // It would be replaced, and whoever stands in it would stand in a folder that is gone.
  if (resolve(path) === process.cwd())
    throw new ExportError(`${path} cannot be written: it is the folder you are in; choose a new one inside it`);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return;
  const found = info.isDirectory() ? await readdir(path).catch((error: unknown) => error as Error) : undefined;
  if (found instanceof Error)
    throw new ExportError(`${path} cannot be written: ${readProblem(found)}`, { cause: found });
  if (found === undefined) throw new ExportError(`${path} cannot be written: it is a file, and a folder is to be made`);
  if (found.length > 0)
    throw new ExportError(
      `${path} cannot be written: the folder is there and holds ${found[0]}; choose another, or a file that ends in .zip`,
    );
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true;

/** The place cannot be written at all; a disk that is full is something else. */
const UNUSABLE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG']);
/** The disk takes no more of what it took before. */
const TAKES_NO_MORE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

const isOfDisk = (error: unknown): error is NodeJS.ErrnoException =>
  TAKES_NO_MORE.has((error as NodeJS.ErrnoException | null)?.code ?? '');

async function placeError(path: string, error: unknown): Promise<unknown> {
  if (isOfDisk(error)) return new Error(writeProblem(error, resolve(path)), { cause: error });
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !UNUSABLE.has(code)) return error;
  const missing = !(await isFolder(dirname(resolve(path))));
  const why = missing
    ? `${path} cannot be written: there is no folder ${dirname(path)}`
    : writeProblem(error as NodeJS.ErrnoException, resolve(path));
  return new ExportError(why, { cause: error });
}

async function* all(begin: Piece, rest: Iterator<Piece> | AsyncIterator<Piece>): AsyncGenerator<Piece> {
  try {
    yield begin;
    for (let part = await rest.next(); part.done !== true; part = await rest.next()) yield part.value;
  } finally {
    await rest.return?.();
  }
}

async function fileState(path: string): Promise<{ bytes: number; endsLine: boolean } | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (!info.isFile()) throw new ExportError(`${path} cannot be written: it is not a file`);
  if (info.size === 0) return { bytes: 0, endsLine: true };
  const file = await open(path, 'r');
  try {
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, info.size - 1);
    return { bytes: info.size, endsLine: last[0] === 10 };
  } finally {
    await file.close();
  }
}

async function firstLine(path: string): Promise<string> {
  let text = '';
  const stream = createReadStream(path, { encoding: 'utf8' });
  for await (const chunk of stream) {
    text += chunk as string;
    if (text.includes('\n')) break;
  }
  stream.destroy();
  return text
    .split('\n', 1)[0]
    .replace(/\r$/u, '')
    .replace(/^\uFEFF/u, '');
}

function headerMismatch(path: string, existing: string, wanted: string): string {
  const have = existing.split(',');
  const want = wanted.split(',');
  const at = want.findIndex((name, i) => name !== have[i]);
  const column = at < 0 ? want.length : at;
  return (
    `${path} has other columns, so nothing was appended: column ${column + 1} is ${JSON.stringify(have[column] ?? '(none)')} there and ` +
    `${JSON.stringify(want[column] ?? '(none)')} here; choose another file, or leave --append out to replace it`
  );
}
