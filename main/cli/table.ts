/** Plain tables: a header and rows, two spaces between columns; numbers to the right. */
import { createRequire } from 'node:module';
import type stringWidth from 'string-width';
import { oneLine } from '../../preload/shared/plainText.ts';
import type { Output } from './output.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Its texts come from anywhere: each is shown on one line and no wider than {@link WIDEST}. */
  readonly free?: boolean;
}

const GAP = '  ';
/** Columns of a terminal for a name, a tag or a value that somebody has written. */
export const WIDEST = 60;

/** Loaded with the first cell that needs it: it knows every character of Unicode. */
const wide = (text: string): number =>
  (createRequire(import.meta.url)('string-width') as { default: typeof stringWidth }).default(text);

/** Columns of a terminal. Most cells are plain. */
const widthOf = (text: string): number => (/^[ -~\u00A0]*$/u.test(text) ? text.length : wide(text));

/**
 * Widths are those of terminals: wide characters count two, escape codes none. A cell of several lines makes its row as high.
 * @param emphasis index of a row to highlight
 */
export function renderTable(
  output: Output,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  emphasis?: number,
): string {
  const shown = (cell: string, i: number): string => (columns[i]?.free === true ? cut(oneLine(cell)) : cell);
  const header = columns.map(({ title }, i) => output.style('bold', shown(title, i)));
  const body = rows.map((row, i) => {
    const cells = row.map(shown);
    return i === emphasis ? cells.map((cell) => styled(output, cell)) : cells;
  });
  const lines = [header, ...body].flatMap(linesOf);
  // Tables of thousands of rows are common: every cell is measured once.
  const measured = lines.map((line) => columns.map((_, i) => widthOf(line[i] ?? '')));
  const widths = columns.map((_, i) => measured.reduce((most, line) => Math.max(most, line[i]), 0));
  return lines
    .map((line, k) => {
      let text = '';
      for (const [i, { align }] of columns.entries()) {
        const room = ' '.repeat(widths[i] - measured[k][i]);
        const cell = line[i] ?? '';
        text += `${i === 0 ? '' : GAP}${align === 'right' ? room + cell : cell + room}`;
      }
      return text.trimEnd();
    })
    .join('\n');
}

/** Names mostly differ at their end (`… seed=3`): what is too wide loses its middle. */
function cut(text: string): string {
  if (widthOf(text) <= WIDEST) return text;
  const parts = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const tail = Math.floor(WIDEST / 3);
  const end = fitting(parts.toReversed(), tail).reverse();
  return `${fitting(parts, WIDEST - 1 - tail).join('')}…${end.join('')}`;
}

/** The first of the parts that have room. */
function fitting(parts: readonly string[], room: number): string[] {
  let left = room;
  const end = parts.findIndex((part) => (left -= widthOf(part)) < 0);
  return parts.slice(0, end);
}

/** A row as lines of the terminal: as many as its highest cell has. */
function linesOf(row: readonly string[]): readonly (readonly string[])[] {
  if (!row.some((cell) => cell.includes('\n'))) return [row];
  const cells = row.map((cell) => cell.split('\n'));
  return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, k) =>
    cells.map((each) => each[k] ?? ''),
  );
}

/** Line by line: a style that spans lines would colour the cells beside it. */
const styled = (output: Output, cell: string): string =>
  cell
    .split('\n')
    .map((line) => output.style('green', line))
    .join('\n');
