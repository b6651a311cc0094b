/** The numbers of a chart as CSV: one row per point of each line, exact. */
import { csvTable } from '../../../preload/shared/csv.ts';
import type { Cell } from '../../../preload/shared/csv.ts';
import type { DrawnLine, LineModel } from './model.ts';

/** @param panels the chart, or its facets with their titles: these then stand in a column of their own. At least one. */
export function csvOf(...panels: readonly { readonly title: string; readonly model: LineModel }[]): string {
  const faceted = panels.some(({ title }) => title !== '');
  const { x, y } = panels[0].model;
  const header = [...(faceted ? ['facet'] : []), 'line', x.label, y.label, 'raw', 'low', 'high', 'n'];
  const rows = panels.flatMap(({ title, model }) =>
    model.lines.flatMap((line) => pointsOf(line, model.x.categories).map((row) => (faceted ? [title, ...row] : row))),
  );
  return csvTable(header, rows);
}

function pointsOf(line: DrawnLine, categories: readonly string[] | undefined): (Cell | undefined)[][] {
  return Array.from(line.x, (x, i) => [
    line.label,
    categories === undefined ? x : categories[x - 1],
    line.y[i],
    line.raw?.[i],
    line.low?.[i],
    line.high?.[i],
    line.n?.[i],
  ]);
}
