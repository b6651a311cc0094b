/** Parquet, one row group at a time. Text columns are taken as their bytes, undecoded. `nested.name` reaches into structs. */
import type { AsyncBuffer, FileMetaData, SchemaTree } from 'hyparquet';
import type { Documents } from '../corpusBuilder.ts';
import { DataError } from '../errors.ts';
import { addValue, columnsOf, missingColumn, valueAt } from './columns.ts';
import type { Format, FormatInput } from './format.ts';
import { asyncBuffer, checkedBuffer, library } from './parquetLibrary.ts';
import type { Library } from './parquetLibrary.ts';

function columnsOfSchema(tree: SchemaTree, depth = 3): string[] {
  return tree.children.flatMap((child) => {
    const { name } = child.element;
    const struct = child.element.logical_type === undefined && child.element.converted_type === undefined;
    const inner = depth > 1 && struct && child.children.length > 0 ? columnsOfSchema(child, depth - 1) : [];
    return inner.length === 0 ? [name] : inner.map((each) => `${name}.${each}`);
  });
}

/** Whether the schema has the path, with names that hold dots of their own first. Returns the top column. */
function topColumn(tree: SchemaTree, path: string): string | null {
  const has = (node: SchemaTree, rest: string): string | null => {
    for (const child of node.children) {
      const { name } = child.element;
      if (name === rest) return name;
      if (!rest.startsWith(`${name}.`)) continue;
      // Lists and maps have layers of their own in the schema: their values tell.
      const { converted_type: converted, logical_type: logical } = child.element;
      const layered = child.children.length > 0 && (converted !== undefined || logical !== undefined);
      if (layered || has(child, rest.slice(name.length + 1)) !== null) return name;
    }
    return null;
  };
  return has(tree, path);
}

const broken = (input: FormatInput, error: unknown, where = '') => {
  const reason = error instanceof Error ? error.message : String(error);
  return input.error(
    `not a whole Parquet file (${where}${reason}).`,
    'a Parquet file; download it again if it was cut off',
  );
};

async function open(input: FormatInput, file: AsyncBuffer, { parquetMetadataAsync }: Library): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(file);
  } catch (error) {
    throw broken(input, error);
  }
}

/** The bytes of a text, with the text itself as its name: the library makes the keys of a map of what it gets. */
class KeyBytes extends Uint8Array {
  override toString(): string {
    return Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('utf8');
  }
}
const bytesOf = (bytes: Uint8Array): Uint8Array => bytes;
const keysOf = (bytes: Uint8Array): Uint8Array =>
  new KeyBytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);

function hasMap({ element, children }: SchemaTree): boolean {
  const { converted_type: converted, logical_type: logical } = element;
  return converted === 'MAP' || converted === 'MAP_KEY_VALUE' || logical?.type === 'MAP' || children.some(hasMap);
}

/** The names in the first row, as JSON lines have them; undefined where there is no row. */
async function columnsOfFirstRow(
  { parquetRead, compressors }: Library,
  file: AsyncBuffer,
  metadata: FileMetaData,
): Promise<string[] | undefined> {
  let first: unknown;
  await parquetRead({
    file,
    metadata,
    rowStart: 0,
    rowEnd: 1,
    rowFormat: 'object',
    compressors,
    utf8: false,
    parsers: { stringFromBytes: keysOf },
    onComplete: (rows) => (first = rows[0]),
  });
  return first === undefined ? undefined : columnsOf(first);
}

async function missing(input: FormatInput, hyparquet: Library, file: AsyncBuffer, metadata: FileMetaData) {
  const columns = await columnsOfFirstRow(hyparquet, file, metadata).catch(() => undefined);
  if (columns !== undefined) return missingColumn(input, columns, 1);
  return missingColumn(input, columnsOfSchema(hyparquet.parquetSchema(metadata)));
}

async function readGroup(
  { parquetRead, compressors }: Library,
  { file, metadata, column }: { file: AsyncBuffer; metadata: FileMetaData; column: SchemaTree },
  rowStart: number,
  rowEnd: number,
): Promise<ArrayLike<unknown>[]> {
  const chunks: { from: number; data: ArrayLike<unknown> }[] = [];
  await parquetRead({
    file,
    metadata,
    columns: [column.element.name],
    rowStart,
    rowEnd,
    compressors,
    utf8: false,
    parsers: { stringFromBytes: hasMap(column) ? keysOf : bytesOf },
    onChunk: ({ columnData, rowStart: from }) => chunks.push({ from, data: columnData }),
  });
  return chunks.sort((a, b) => a.from - b.from).map(({ data }) => data);
}

async function read(input: FormatInput, documents: Documents): Promise<void> {
  const { column } = input;
  const hyparquet = await library();
  const metadata = await open(input, asyncBuffer(input.bytes), hyparquet);
  const file = checkedBuffer(input.bytes, metadata);
  const schema = hyparquet.parquetSchema(metadata);
  const top = topColumn(schema, column);
  const tree = schema.children.find(({ element }) => element.name === top);
  if (top === null || tree === undefined) throw await missing(input, hyparquet, file, metadata);
  const total = Number(metadata.num_rows);
  let row = 0;
  for (const [number, group] of metadata.row_groups.entries()) {
    const end = row + Number(group.num_rows);
    let chunks: ArrayLike<unknown>[];
    try {
      chunks = await readGroup(hyparquet, { file, metadata, column: tree }, row, end);
    } catch (error) {
      // What the file itself says (removed, changed) is said as it is.
      if (error instanceof DataError) throw error;
      throw broken(input, error, `row group ${number + 1} of ${metadata.row_groups.length}: `);
    }
    for (const values of chunks)
      for (let i = 0; i < values.length && row < end; i++) {
        row++;
        const value = values[i];
        const own = top === column ? value : valueAt({ [top]: value }, column);
        // The first row tells what columns there are; later ones may lack some.
        if (own === undefined && value !== undefined && row === 1)
          throw await missing(input, hyparquet, file, metadata);
        if (own === undefined && value !== undefined) input.drop(`rows without ${column}`, row);
        else if (!addValue(own, input, documents, row)) return;
      }
    row = end;
    input.progress(total === 0 ? 1 : row / total);
  }
}

export const parquet: Format = {
  name: 'parquet',
  title: 'Parquet',
  help: 'a table with its own compression; data.column names the column with the text',
  extensions: ['.parquet'],
  reads: 'bytes',
  read,
};
