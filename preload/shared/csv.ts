/** Cells, lines and tables of CSV files (RFC 4180, line ends \n), exact for machines and harmless in spreadsheets. */
import Papa from 'papaparse';

export type Cell = string | number | boolean;

/** What spreadsheets take for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/u;

/** Text as a cell: with a leading apostrophe where a spreadsheet would calculate, unless `exact`. */
export function textCell(text: string, exact = false): string {
  return !exact && FORMULA.test(text) ? `'${text}` : text;
}

/**
 * A number as a cell: the shortest decimal that reads back as the same float64; `NaN`, `Infinity` and `-Infinity` by these names, which
 * JavaScript, Python's float() and pandas read.
 */
export function numberCell(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Any value as a cell. Booleans are `true` and `false`, what is not there is empty. */
export function cellOf(value: Cell | undefined, exact = false): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return numberCell(value);
  return typeof value === 'boolean' ? String(value) : textCell(value, exact);
}

/** One line of finished cells, with its end. */
export function csvLine(cells: readonly string[]): string {
  return `${Papa.unparse([cells as string[]], { newline: '\n' })}\n`;
}

/** A whole file: names of columns, which may be settings, and rows of values. */
export function csvTable(header: readonly string[], rows: readonly (readonly (Cell | undefined)[])[]): string {
  return [header, ...rows].map((row) => csvLine(row.map((cell) => cellOf(cell)))).join('');
}
