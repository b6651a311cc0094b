/** Cells of a CSV file (RFC 4180, line ends \n), exact for machines and harmless in spreadsheets. */
import { stringify } from 'csv-stringify/sync';
import type { SettingValue } from '../contract/settings.ts';

/** What spreadsheets take for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/u;

/** Text as a cell: with a leading apostrophe where a spreadsheet would calculate, unless `exact`. */
export function textCell(text: string, exact: boolean): string {
  return !exact && FORMULA.test(text) ? `'${text}` : text;
}

/**
 * A number as a cell: the shortest decimal that reads back as the same float64; `NaN`, `Infinity` and `-Infinity` by these names, which
 * JavaScript, Python's float() and pandas read.
 */
export function numberCell(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A setting as a cell. Booleans are `true` and `false`. */
export function settingCell(value: SettingValue | undefined, exact: boolean): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return numberCell(value);
  return typeof value === 'boolean' ? String(value) : textCell(value, exact);
}

/** One line, with its end. */
export function csvLine(cells: readonly string[]): string {
  return stringify([cells as string[]]);
}
