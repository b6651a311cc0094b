/** The text of one row of a table: a column by name, also inside nested ones (`meta.title`), and its value as a document. */
import type { Documents } from '../corpusBuilder.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { DataError, listNames } from '../errors.ts';
import type { FormatInput } from './format.ts';

/** @param row counts from 1, header lines not included */
export function missingColumn(input: FormatInput, columns: readonly string[], row?: number, advice = ''): DataError {
  const { column, name } = input;
  const where = row === undefined ? name : `${name}, row ${row}`;
  const allowed = columns.length === 0 ? 'a file with columns' : `one of the columns ${listNames(columns)}`;
  const nearest = columns.length === 1 ? columns[0] : nearestName(column, columns);
  return new DataError('data.column', column, `no such column in ${where}.${advice}`, allowed, nearest);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !(value instanceof Uint8Array) && !(value instanceof Date);

/**
 * The value at a path like `a.b.c`. A name with dots of its own comes first: `{"a.b": {"c": 1}}` is found as well. Undefined when there is
 * no such place, null when the way to it ends in a null.
 */
export function valueAt(row: unknown, path: string): unknown {
  if (row === null) return null;
  if (!isRecord(row)) return undefined;
  if (Object.hasOwn(row, path)) return row[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const first = path.slice(0, dot);
    if (!Object.hasOwn(row, first)) continue;
    const value = valueAt(row[first], path.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The columns of a row, nested ones as `a.b`. */
export function columnsOf(row: unknown, depth = 3): string[] {
  if (!isRecord(row) || Array.isArray(row)) return [];
  return Object.entries(row).flatMap(([key, value]) => {
    const inner = depth > 1 ? columnsOf(value, depth - 1) : [];
    return inner.length === 0 ? [key] : inner.map((name) => `${key}.${name}`);
  });
}

/** Hands a column's value on as a document. Null and undefined are counted as rows without text. Returns whether more is wanted. */
export function addValue(value: unknown, input: FormatInput, documents: Documents, row: number): boolean {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    if (value.length === 0 && documents.wantsEmpty !== true) input.drop('rows whose text is empty', row);
    return typeof value === 'string' ? documents.addText(value) : documents.add(value);
  }
  if (value === null || value === undefined) {
    input.drop('rows whose text is null', row);
    return true;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return documents.addText(String(value));
  const found = Array.isArray(value) ? 'a list' : value instanceof Date ? 'a date' : 'an object';
  const inner = columnsOf(value).map((name) => `${input.column}.${name}`);
  throw new DataError(
    'data.column',
    input.column,
    `${input.name}, row ${row}: the column holds ${found}, not text.`,
    inner.length > 0 ? `a column of text, for example ${listNames(inner)}` : 'a column of text',
  );
}
