/** Plain tables: a header and rows, two spaces between columns; numbers to the right. */
import stringWidth from 'string-width';
import type { Output } from './output.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Columns of a terminal. Most cells are plain, and tables of thousands of rows are measured twice. */
const widthOf = (text: string): number => (/^[ -~\u00A0]*$/u.test(text) ? text.length : stringWidth(text));

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
  const header = columns.map(({ title }) => output.style('bold', title));
  const body = rows.map((row, i) => row.map((cell) => (i === emphasis ? styled(output, cell) : cell)));
  const cells = [header, ...body].map((row) => columns.map((_, i) => (row[i] ?? '').split('\n')));
  const widths = columns.map((_, i) =>
    Math.max(...cells.map((row) => Math.max(...row[i].map((line) => widthOf(line))))),
  );
  const padded = (line: string, i: number): string => {
    const room = ' '.repeat(widths[i] - widthOf(line));
    return columns[i].align === 'right' ? room + line : line + room;
  };
  return cells
    .flatMap((row) =>
      Array.from({ length: Math.max(...row.map(({ length }) => length)) }, (_, k) =>
        row
          .map((lines, i) => padded(lines[k] ?? '', i))
          .join(GAP)
          .trimEnd(),
      ),
    )
    .join('\n');
}

/** Line by line: a style that spans lines would colour the cells beside it. */
const styled = (output: Output, cell: string): string =>
  cell
    .split('\n')
    .map((line) => output.style('green', line))
    .join('\n');
