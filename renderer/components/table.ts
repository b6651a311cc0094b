export type CellValue = string | number | boolean | null | undefined;

export interface Column<R> {
  readonly key: string;
  readonly title: string;
  /** What is sorted by and shown. */
  readonly value: (row: R) => CellValue;
  readonly format?: (value: CellValue, row: R) => string;
  readonly align?: 'left' | 'right';
  readonly mono?: boolean;
  readonly sortable?: boolean;
  readonly descendingFirst?: boolean;
  readonly help?: string;
  /** The last column, with what a row can be told to do: it stays in sight where the table is wider than its place. */
  readonly kept?: boolean;
}

/** Numbers as numbers, text by its words and numbers within; missing values and NaN last in both directions. */
export function compareValues(a: CellValue, b: CellValue, direction: 1 | -1): number {
  const gone = (value: CellValue): boolean => value === null || value === undefined || Number.isNaN(value);
  if (gone(a) || gone(b)) return Number(gone(a)) - Number(gone(b));
  if (typeof a === 'number' && typeof b === 'number') return (a - b) * direction;
  return String(a).localeCompare(String(b), 'en', { numeric: true }) * direction;
}

/** Characters of a cell that is a text; a path of more would push the other columns out of the window. */
const WIDEST = 40;

/** Names and paths mostly differ at their end: what is too long loses a part before its middle. */
export function narrowed(text: string): string {
  if (text.length <= WIDEST) return text;
  const parts = Array.from(text);
  if (parts.length <= WIDEST) return text;
  const head = Math.floor(WIDEST / 3);
  return `${parts.slice(0, head).join('')}…${parts.slice(head + 1 - WIDEST).join('')}`;
}
