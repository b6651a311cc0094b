/** The numbers of a chart as CSV: one row per point of each line, exact. */
import type { LineModel } from './model.ts';

/** Text that a spreadsheet would calculate gets a leading apostrophe. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/u.test(value) ? `'${value}` : value;
  return /[",\n\r]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(model: LineModel): string {
  const rows = [['line', model.x.label, model.y.label, 'raw', 'low', 'high', 'n'].map(csvCell).join(',')];
  for (const line of model.lines)
    for (let i = 0; i < line.x.length; i++)
      rows.push(
        [
          csvCell(line.label),
          line.x[i],
          line.y[i],
          line.raw?.[i] ?? '',
          line.low?.[i] ?? '',
          line.high?.[i] ?? '',
          line.n?.[i] ?? '',
        ].join(','),
      );
  return `${rows.join('\n')}\n`;
}

export function csvTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[header, ...rows].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;
}
