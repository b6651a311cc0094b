/** Rows of a Parquet file, some at a time. Columns of structs are parted by a dot, as objects of JSON lines are. */
import type { FileMetaData, SchemaTree } from 'hyparquet';
import { asyncBuffer, checkedBuffer, library } from '../../../engine/data/formats/parquetLibrary.ts';
import type { Library } from '../../../engine/data/formats/parquetLibrary.ts';
import { counted } from '../../../../preload/shared/format.ts';
import { DataError } from '../../../engine/data/index.ts';
import { ImportError } from '../errors.ts';
import type { Anywhere, ImportFile } from '../files.ts';
import type { Cell } from '../values.ts';
import { JsonColumns, MOST_COLUMNS } from './jsonRows.ts';
import { distinct } from './rows.ts';
import type { RowSource, RowTaker } from './rows.ts';

/** Cells that are in memory at a time; a group of rows may have many more. */
const MOST_CELLS = 4 << 20;
/** Rows between two pauses. */
const PACE = 1 << 14;
const DEEPEST = 16;

interface Table {
  readonly hyparquet: Library;
  readonly metadata: FileMetaData;
  readonly names: readonly string[];
  /** Some column holds objects, which make columns of their own. */
  readonly nested: boolean;
}

/** @throws ImportError for what is no Parquet file */
export async function parquetRows(file: ImportFile): Promise<RowSource> {
  const { names, nested } = await using(file, (source) => tableOf(file.path, source));
  const objects = nested ? new JsonColumns() : undefined;
  const { names: columns, repeated } = distinct(names);
  return {
    file,
    columns: objects?.columns ?? columns,
    decimalComma: false,
    each: async (take) => {
      if (repeated.length > 0)
        take.bad(`names of columns that stand there more than once (${repeated.slice(0, 3).join(', ')}), numbered`, 1);
      await using(file, async (source) => giveAll(file.path, source, objects, take));
    },
  };
}

async function using<T>(file: ImportFile, body: (source: Anywhere) => Promise<T>): Promise<T> {
  const source = await file.anywhere();
  try {
    return await body(source);
  } finally {
    await source.close();
  }
}

async function tableOf(path: string, source: Anywhere): Promise<Table> {
  const hyparquet = await library();
  const metadata = await sound(path, () => hyparquet.parquetMetadataAsync(asyncBuffer(source)));
  const { children } = await sound(path, async () => hyparquet.parquetSchema(metadata));
  if (children.length > MOST_COLUMNS)
    throw new ImportError(`${path} has ${counted(children.length, 'column')}; allowed: at most ${MOST_COLUMNS}`);
  return {
    hyparquet,
    metadata,
    names: children.map(({ element }) => String(element.name)),
    nested: children.some(isStruct),
  };
}

/** Lists have layers of their own in the schema, and are values here. */
const isStruct = ({ element, children }: SchemaTree): boolean =>
  children.length > 0 && element.converted_type !== 'LIST' && element.logical_type?.type !== 'LIST';

async function giveAll(
  path: string,
  source: Anywhere,
  objects: JsonColumns | undefined,
  take: RowTaker,
): Promise<void> {
  const table = await tableOf(path, source);
  const most = Math.max(1, Math.floor(MOST_CELLS / Math.max(1, table.names.length)));
  let first = 0;
  for (const { num_rows: rows } of table.metadata.row_groups) {
    const end = first + Number(rows);
    for (; first < end; first = Math.min(end, first + most)) {
      const columns = await sound(path, () => columnsOf(table, source, first, Math.min(end, first + most)));
      const length = Math.min(end - first, most);
      const short = columns.find(({ length: has }) => has !== length);
      if (short !== undefined)
        throw notWhole(path, `a column has ${counted(short.length, 'value')} for ${counted(length, 'row')}`);
      for (let i = 0; i < length; i++) {
        if (objects === undefined) take.row({ cells: columns.map((column) => cellOf(column[i])), line: first + i + 1 });
        else giveObject(objects, table.names, columns, i, first + i + 1, take);
        if (i % PACE === PACE - 1) await take.pause();
      }
      await take.pause();
    }
  }
}

function giveObject(
  objects: JsonColumns,
  names: readonly string[],
  columns: readonly ArrayLike<unknown>[],
  at: number,
  line: number,
  take: RowTaker,
): void {
  const { left } = objects;
  const cells = objects.cells(Object.fromEntries(names.map((name, i) => [name, plain(columns[i]![at], 0)])));
  if (objects.left > left) take.bad('entries left out: too deep, too many, or too long a name', line);
  take.row({ cells, line });
}

/** The values of some rows, by column. */
async function columnsOf(
  { hyparquet, metadata, names }: Table,
  source: Anywhere,
  rowStart: number,
  rowEnd: number,
): Promise<ArrayLike<unknown>[]> {
  const { compressors, parquetRead } = hyparquet;
  const parts = new Map<string, { readonly from: number; readonly to: number; readonly data: ArrayLike<unknown> }[]>();
  await parquetRead({
    file: checkedBuffer(source, metadata),
    metadata,
    rowStart,
    rowEnd,
    compressors,
    onChunk: ({ columnName, columnData, rowStart: from, rowEnd: to }) => {
      const known = parts.get(columnName);
      const part = { from, to, data: columnData };
      if (known === undefined) parts.set(columnName, [part]);
      else known.push(part);
    },
  });
  return names.map((name) => joined(parts.get(name) ?? [], rowStart, rowEnd));
}

/** Parts may begin before the rows that were asked for, and end after them. */
function joined(
  parts: { readonly from: number; readonly to: number; readonly data: ArrayLike<unknown> }[],
  rowStart: number,
  rowEnd: number,
): ArrayLike<unknown> {
  const [only] = parts;
  if (parts.length === 1 && only!.from === rowStart && only!.data.length === rowEnd - rowStart) return only!.data;
  const values: unknown[] = [];
  for (const { from, data } of parts.sort((a, b) => a.from - b.from))
    for (let i = Math.max(0, rowStart - from); i < data.length && from + i < rowEnd; i++) values.push(data[i]);
  return values;
}

function cellOf(value: unknown): Cell {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return undefined;
  const made = plain(value, 0);
  return typeof made === 'object' ? JSON.stringify(made) : (made as Cell);
}

/** As JSON would have it: whole numbers, times, bytes and lists among them. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (depth >= DEEPEST) return undefined;
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<unknown>, (each) => {
      const made = plain(each, depth + 1);
      // JSON has no name for them.
      return typeof made === 'number' && !Number.isFinite(made) ? String(made) : made;
    });
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, depth + 1)]));
}

const notWhole = (path: string, reason: string): ImportError =>
  new ImportError(`${path} is not a whole Parquet file (${reason})`);

/** @throws ImportError where the library finds the file not whole; what is said of the file itself (removed, changed) is said as it is */
async function sound<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof DataError || error instanceof ImportError) throw error;
    throw notWhole(path, (error as Error).message);
  }
}
