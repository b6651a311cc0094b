/** One row of JSON: a plain string, or an object whose column holds the text. */
import type { Documents } from '../corpusBuilder.ts';
import { addValue, columnsOf, missingColumn, valueAt } from './columns.ts';
import type { FormatInput } from './format.ts';

/** A number as it is written: 12345678901234567890 and 1.50 keep their digits. */
function writtenNumber(json: string, column: string): unknown {
  const reviver = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? (context?.source ?? value) : value;
  try {
    return valueAt(JSON.parse(json, reviver), column);
  } catch {
    return undefined;
  }
}

/** @param json the row as it is written. @returns whether more is wanted */
export function addJsonRow(
  value: unknown,
  json: string,
  input: FormatInput,
  documents: Documents,
  row: number,
  first: boolean,
): boolean {
  if (typeof value === 'string') return addValue(value, input, documents, row);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw input.error(`row ${row} is neither an object nor a string.`, 'one JSON object per row');
  const found = valueAt(value, input.column);
  if (found === undefined) {
    // The first row tells what columns there are; later ones may lack some.
    if (first) throw missingColumn(input, columnsOf(value), row);
    input.drop(`rows without ${input.column}`, row);
    return true;
  }
  const text = typeof found === 'number' ? (writtenNumber(json, input.column) ?? found) : found;
  return addValue(text, input, documents, row);
}
