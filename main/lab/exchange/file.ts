/** Writing an export: a new file appears complete or not at all; appending checks that the columns are the same. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile, temporaryName, writeAll } from '../../files/atomic.ts';
import { noteTemporary } from '../../files/leftovers.ts';

/** An export that cannot be written as asked; nothing was changed. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

type Piece = string | Uint8Array;

export interface WriteOptions {
  /** Adds to a file that exists; its header must be the first piece. */
  readonly append?: boolean;
  /** Folder where the temporary file is noted until it is whole, so that one that was left by a kill is found (files/leftovers.ts). */
  readonly notes?: string;
}

/** Writes pieces; when it appends, the first must be the header line. @returns the number of bytes written */
export async function writeExport(
  path: string,
  pieces: Iterable<Piece>,
  { append = false, notes }: WriteOptions = {},
): Promise<number> {
  const parts = pieces[Symbol.iterator]();
  const first = parts.next();
  const header = first.done === true ? '' : first.value;
  const found = await fileState(path);
  if (append && found !== undefined && found.bytes > 0) {
    if (typeof header !== 'string') throw new ExportError(`${path}: nothing can be added to files of this format`);
    const existing = await firstLine(path);
    if (existing !== header.trimEnd()) throw new ExportError(headerMismatch(path, existing, header.trimEnd()));
    const file = await open(path, 'a');
    try {
      return await writeAll(file, all(found.endsLine ? '' : '\n', parts));
    } finally {
      await file.close();
    }
  }
  const temporary = temporaryName(path);
  const forget = notes === undefined ? undefined : await noteTemporary(notes, temporary);
  try {
    return await replaceFile(path, all(header, parts), { mode: 0o600, temporary });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !UNUSABLE.has(code)) throw error;
    const why = code === 'ENOENT' ? `there is no folder ${dirname(path)}` : message;
    throw new ExportError(`${path} cannot be written: ${why}`, { cause: error });
  } finally {
    await forget?.();
  }
}

/** The place cannot be written at all; a disk that is full is something else. */
const UNUSABLE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG']);

function* all(begin: Piece, rest: Iterator<Piece>): Iterable<Piece> {
  yield begin;
  for (let part = rest.next(); part.done !== true; part = rest.next()) yield part.value;
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
