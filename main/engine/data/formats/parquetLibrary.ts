/** The library that reads Parquet, over files as they are read here. */
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import type { RandomAccess } from './format.ts';
import { checkPages } from './parquetPages.ts';

/**
 * A page of nothing (the dictionary of a row group without values) is nothing, whatever its codec: the LZ4 decoder of the library takes
 * the single zero byte that LZ4 writes for it for a reference to earlier bytes.
 */
const forEmptyPages = (compressors: Compressors): Compressors =>
  Object.fromEntries(
    Object.entries(compressors).map(([name, decompress]) => [
      name,
      (input, length) => (length === 0 ? new Uint8Array() : decompress(input, length)),
    ]),
  );

/** Loaded with the first Parquet file: starting shall stay quick. */
export async function library() {
  const { compressors, ...rest } = await import('hyparquet-compressors');
  return { ...(await import('hyparquet')), ...rest, compressors: forEmptyPages(compressors) };
}
export type Library = Awaited<ReturnType<typeof library>>;

/**
 * A promise whose failure, and that of all that is made of it by `then`, ends no process. The library reads the columns side by side: where one
 * cannot be read at all it gives up, and nobody hears of the others, which a damaged file may well have fail too.
 */
function heard<T>(promise: Promise<T>): Promise<T> {
  const then = promise.then.bind(promise);
  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, and stays one
  promise.then = ((...reactions: Parameters<typeof then>) => heard(then(...reactions))) as typeof promise.then;
  then(undefined, () => undefined);
  return promise;
}

export function asyncBuffer(source: RandomAccess): AsyncBuffer {
  const { byteLength } = source;
  return {
    byteLength,
    slice: (start, end) => heard(bytesOf(source, start < 0 ? byteLength + start : start, end ?? byteLength)),
  };
}

/** The same for reading values: whatever is not an index is pages, which are checked before the library follows them. */
export function checkedBuffer(source: RandomAccess, { row_groups: groups }: FileMetaData): AsyncBuffer {
  const file = asyncBuffer(source);
  const indexes = new Set(
    groups.flatMap(({ columns }) =>
      columns.flatMap((column) => [column.offset_index_offset, column.column_index_offset].map(Number)),
    ),
  );
  const checked = async (start: number, end: number | undefined): Promise<ArrayBuffer> => {
    const bytes = await file.slice(start, end);
    if (!indexes.has(start)) checkPages(new Uint8Array(bytes));
    return bytes;
  };
  return { byteLength: file.byteLength, slice: (start, end) => heard(checked(start, end)) };
}

async function bytesOf(source: RandomAccess, start: number, end: number): Promise<ArrayBuffer> {
  const { buffer, byteOffset, length } = await source.slice(start, end);
  const own = byteOffset === 0 && buffer.byteLength === length;
  return (own ? buffer : buffer.slice(byteOffset, byteOffset + length)) as ArrayBuffer;
}
