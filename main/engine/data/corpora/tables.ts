/** Documents of table files: one column of JSON lines, CSV and Parquet, one document per row. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import Papa from 'papaparse';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DataError, listNames } from '../errors.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { fileChunks, splitDocuments } from './text.ts';

type OnBytes = (read: number) => void;

function missingColumn(path: string, column: string, columns: readonly string[], row?: number): DataError {
  const where = row === undefined ? path : `${path}, row ${row}`;
  const allowed = columns.length === 0 ? 'a file with columns' : `one of the columns ${listNames(columns)}`;
  const nearest = columns.length === 1 ? columns[0] : nearestName(column, columns);
  return new DataError('data.column', column, `no such column in ${where}.`, allowed, nearest);
}

function asDocument(value: unknown, path: string, column: string, row: number): Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return Buffer.from(String(value), 'utf8');
  const found = Array.isArray(value) ? 'a list' : 'an object';
  throw new DataError(
    'data.column',
    column,
    `${path}, row ${row}: the column holds ${found}, not text.`,
    'a column of text',
  );
}

/** One JSON value's text: a plain string, or the column of an object. */
function fromJson(value: unknown, path: string, column: string, row: number): Uint8Array | null {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new DataError(
      'data.corpus',
      path,
      `row ${row} is neither an object nor a string.`,
      'one JSON object per row',
    );
  if (!Object.hasOwn(value, column)) throw missingColumn(path, column, Object.keys(value), row);
  return asDocument((value as Record<string, unknown>)[column], path, column, row);
}

/** JSON lines: one object (or string) per line; blank lines are skipped. */
export async function* readJsonLines(path: string, column: string, onBytes?: OnBytes): AsyncGenerator<Uint8Array> {
  let row = 0;
  for await (const line of splitDocuments(fileChunks(path, onBytes), '\n')) {
    row++;
    const text = line
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
    if (text === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError('data.corpus', path, `line ${row} is not JSON (${reason}).`, 'one JSON object per line');
    }
    const document = fromJson(value, path, column, row);
    if (document !== null) yield document;
  }
}

/** A JSON file that holds one list of objects or strings. */
export async function* readJson(path: string, column: string): AsyncGenerator<Uint8Array> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(
      'data.corpus',
      path,
      `not a JSON file (${reason}).`,
      'a list of objects, or JSON lines (.jsonl)',
    );
  }
  if (!Array.isArray(value))
    throw new DataError(
      'data.corpus',
      path,
      'the file does not hold a list.',
      'a list of objects, or JSON lines (.jsonl)',
    );
  for (const [i, item] of value.entries()) {
    const document = fromJson(item, path, column, i + 1);
    if (document !== null) yield document;
  }
}

/** Decodes chunks so that characters across a border stay whole. */
async function* decoded(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    if (text !== '') yield text;
  }
  const text = decoder.end();
  if (text !== '') yield text;
}

/** CSV and TSV with a header row; quoting by RFC 4180, delimiter found by looking (tab for .tsv). */
export async function* readCsv(path: string, column: string, onBytes?: OnBytes): AsyncGenerator<Uint8Array> {
  const delimiter = /\.tsv(\.gz)?$/i.test(path) ? '\t' : '';
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, { header: false, skipEmptyLines: 'greedy', delimiter });
  const source = Readable.from(decoded(fileChunks(path, onBytes)));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let index = -1;
  let row = 0;
  try {
    for await (const fields of parser as AsyncIterable<string[]>) {
      row++;
      if (index < 0) {
        const header = fields.map((name) => name.replace(/^\uFEFF/, '').trim());
        index = header.indexOf(column);
        if (index < 0) throw missingColumn(path, column, header);
        continue;
      }
      if (index >= fields.length) {
        const what = `${path}, row ${row} has only ${fields.length} fields.`;
        throw new DataError('data.column', column, what, 'rows with as many fields as the header');
      }
      yield Buffer.from(fields[index], 'utf8');
    }
    if (index < 0) throw missingColumn(path, column, []);
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** Parquet, one row group at a time. Text columns are taken as their bytes, undecoded. `nested.name` reaches into structs. */
export async function* readParquet(path: string, column: string, onBytes?: OnBytes): AsyncGenerator<Uint8Array> {
  const file = await asyncBufferFromFile(path);
  let metadata;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError('data.corpus', path, `not a Parquet file (${reason}).`, 'a Parquet file');
  }
  const columns = parquetSchema(metadata).children.map((child) => child.element.name);
  const [top, ...inner] = columns.includes(column) ? [column] : column.split('.');
  if (!columns.includes(top)) throw missingColumn(path, column, columns);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({
      file,
      metadata,
      columns: [top],
      rowStart,
      rowEnd,
      compressors,
      utf8: false,
      parsers: { stringFromBytes: (bytes: Uint8Array) => bytes },
    });
    for (let i = 0; i < rows.length; i++) {
      let value: unknown = rows[i][top];
      for (const name of inner) {
        if (value === null || value === undefined) break;
        const record = value as Record<string, unknown>;
        if (typeof value !== 'object' || !Object.hasOwn(record, name))
          throw missingColumn(
            path,
            column,
            typeof value === 'object' ? Object.keys(record).map((key) => `${top}.${key}`) : columns,
          );
        value = record[name];
      }
      const document = asDocument(value, path, column, rowStart + i + 1);
      if (document !== null) yield document;
    }
    rowStart = rowEnd;
    onBytes?.(metadata.num_rows > 0n ? (file.byteLength * rowEnd) / Number(metadata.num_rows) : file.byteLength);
  }
}
