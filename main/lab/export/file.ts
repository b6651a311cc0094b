/** Writing an export: a new file appears complete or not at all; appending checks that the columns are the same. */
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An export that cannot be written as asked; nothing was changed. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

export interface WriteOptions {
  /** Adds to a file that exists; its header must be that of `chunks`. */
  readonly append?: boolean;
}

/** Writes chunks, of which the first is the header line. @returns the number of bytes written */
export async function writeExport(
  path: string,
  chunks: Iterable<string>,
  { append = false }: WriteOptions = {},
): Promise<number> {
  const parts = chunks[Symbol.iterator]();
  const first = parts.next();
  const header = first.done === true ? '' : first.value;
  const found = await fileState(path);
  if (append && found !== undefined && found.bytes > 0) {
    const existing = await firstLine(path);
    if (existing !== header.trimEnd()) throw new ExportError(headerMismatch(path, existing, header.trimEnd()));
    const file = await open(path, 'a');
    try {
      return await writeAll(file, found.endsLine ? '' : '\n', parts);
    } finally {
      await file.close();
    }
  }
  // Beside the target, so that the rename stays on one disk.
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'w').catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? `there is no folder ${dirname(path)}` : error.message;
      throw new ExportError(`${path} cannot be written: ${why}`);
    });
    let bytes: number;
    try {
      bytes = await writeAll(file, header, parts);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const BLOCK = 1 << 20;

async function writeAll(
  file: { writeFile(text: string): Promise<void> },
  begin: string,
  parts: Iterator<string>,
): Promise<number> {
  let text = begin;
  let bytes = 0;
  for (let part = parts.next(); part.done !== true; part = parts.next()) {
    text += part.value;
    if (text.length < BLOCK) continue;
    bytes += Buffer.byteLength(text);
    await file.writeFile(text);
    text = '';
  }
  bytes += Buffer.byteLength(text);
  await file.writeFile(text);
  return bytes;
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
