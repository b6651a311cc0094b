/** The numbers of a chart as CSV: one row per point of each line, exact. */
import type { DrawnLine, LineModel } from './model.ts';

/** Text that a spreadsheet would calculate gets a leading apostrophe. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/u.test(value) ? `'${value}` : value;
  return /[",\n\r]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param panels the chart, or its facets with their titles: these then stand in a column of their own. At least one. */
export function csvOf(...panels: readonly { readonly title: string; readonly model: LineModel }[]): string {
  const faceted = panels.some(({ title }) => title !== '');
  const { x, y } = panels[0].model;
  const header = [...(faceted ? ['facet'] : []), 'line', x.label, y.label, 'raw', 'low', 'high', 'n'];
  const rows = [header.map(csvCell).join(',')];
  for (const { title, model } of panels) for (const line of model.lines) addRows(title, line, model.x.categories);
  return `${rows.join('\n')}\n`;

  function addRows(title: string, line: DrawnLine, categories?: readonly string[]): void {
    for (let i = 0; i < line.x.length; i++)
      rows.push(
        [
          ...(faceted ? [csvCell(title)] : []),
          csvCell(line.label),
          categories === undefined ? line.x[i] : csvCell(categories[line.x[i] - 1]),
          line.y[i],
          line.raw?.[i] ?? '',
          line.low?.[i] ?? '',
          line.high?.[i] ?? '',
          line.n?.[i] ?? '',
        ].join(','),
      );
  }
}

export function csvTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[header, ...rows].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;
}
