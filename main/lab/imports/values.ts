/** Values as files write them: numbers, times, objects of Python. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value of a table or an object; undefined: nothing stands there. */
export type Cell = string | number | boolean | undefined;

/** What writers put where nothing is. */
const NOTHING = new Set(['', 'none', 'null', 'n/a', 'na', '#n/a', '<na>', '-', '--', '—']);
const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  infinity: Infinity,
};

export const isNothing = (cell: Cell): boolean =>
  cell === undefined || (typeof cell === 'string' && !startsWithDigit(cell) && NOTHING.has(cell.trim().toLowerCase()));

/** Most cells are numbers, and asked several times. */
const startsWithDigit = (text: string): boolean => {
  const code = text.charCodeAt(0);
  return code >= 48 && code <= 57;
};

/** The same of a name: a run may be called `-` or `none`. */
export const isNameless = (cell: Cell): boolean =>
  cell === undefined || (typeof cell === 'string' && /^\s*(?:<na>|#n\/a)?\s*$/iu.test(cell));

/** A number, NaN and infinities by their usual names among them; undefined for what is none. True and false count as 1 and 0. */
export function numberOf(cell: Cell, decimalComma = false): number | undefined {
  if (typeof cell === 'number') return cell;
  if (typeof cell === 'boolean') return Number(cell);
  if (cell === undefined) return undefined;
  const text = cell.trim();
  if (NUMBER.test(text)) return Number(text.includes('_') ? text.replaceAll('_', '') : text);
  if (decimalComma && /^[+-]?\d+,\d+(?:e[+-]?\d+)?$/iu.test(text)) return Number(text.replace(',', '.'));
  const [, sign, word] = /^([+-]?)([a-z]+)$/iu.exec(text) ?? [];
  const special = word === undefined ? undefined : SPECIAL[word.toLowerCase()];
  if (special !== undefined) return sign === '-' ? -special : special;
  if (/^(?:true|false)$/iu.test(text)) return Number(text.toLowerCase() === 'true');
  return undefined;
}

/** A value of a configuration: `1e-3` is a number, `True` is true, all else is text. */
export function settingOf(cell: Cell, decimalComma = false): string | number | boolean | undefined {
  if (typeof cell !== 'string') return cell;
  const text = cell.trim();
  if (text === '') return undefined;
  if (/^(?:true|false)$/iu.test(text)) return text.toLowerCase() === 'true';
  // A name of digits with zeros before it is a name.
  if (/^[+-]?0\d/u.test(text)) return cell;
  const number = numberOf(text, decimalComma);
  return number !== undefined && Number.isFinite(number) ? number : cell;
}

/** Seconds since 1970 are at most these until the year 2286; more are milliseconds. */
const MOST_SECONDS = 1e10;
/** 2001: smaller numbers are no times, but durations. */
const LEAST_SECONDS = 1e9;

/** Milliseconds since 1970; undefined for what is no time. */
export function timeOf(cell: Cell): number | undefined {
  const number = numberOf(cell);
  if (number !== undefined) {
    if (!(number >= LEAST_SECONDS)) return undefined;
    const milliseconds = number < MOST_SECONDS ? number * 1000 : number < 1e13 ? number : number / 1000;
    return milliseconds < 8e15 ? Math.round(milliseconds) : undefined;
  }
  if (typeof cell !== 'string' || !/^\d{4}-\d\d-\d\d/u.test(cell.trim())) return undefined;
  // Without a zone it is the time of the place where it was written, which nobody knows: that of this machine.
  const time = Date.parse(
    cell
      .trim()
      .replace(' ', 'T')
      .replace(/\s+(?=[+-Z])/u, ''),
  );
  return Number.isFinite(time) ? time : undefined;
}

/** A list of numbers as one text: `[1.0, 2.5, NaN]`; undefined for anything else. */
export function listOf(cell: Cell): number[] | undefined {
  if (typeof cell !== 'string' || !cell.startsWith('[') || !cell.endsWith(']')) return undefined;
  const inner = cell.slice(1, -1).trim();
  if (inner === '') return [];
  const values: number[] = [];
  for (const part of inner.split(inner.includes(',') ? ',' : /\s+/u)) {
    const value = isNothing(part) ? Number.NaN : numberOf(part);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
