/** The numbers of a chart as CSV: one row per point of each line, exact. */
import { csvTable } from '../../shared/csv.ts';
import type { Cell } from '../../shared/csv.ts';
import { yOf } from './model.ts';
import type { DrawnLine, LineModel } from './model.ts';

interface TitledModel {
  readonly title: string;
  readonly model: LineModel;
}

/**
 * @param panels the chart, or its facets with their titles: these then stand in a column of their own. At least one.
 * @param notes what the numbers are (means of how many runs, which bands, how smoothed): a column of its own, the same in each row
 */
export function csvOf(panels: readonly TitledModel[], notes: readonly string[] = []): string {
  const faceted = panels.some(({ title }) => title !== '');
  const { x, y, right } = panels[0].model;
  const header = [
    ...(faceted ? ['facet'] : []),
    'line',
    x.label,
    ...(right === undefined ? [y.label] : ['value', 'axis']),
    'raw',
    'low',
    'high',
    'n',
    ...(notes.length > 0 ? ['note'] : []),
  ];
  const rows = panels.flatMap(({ title, model }) =>
    model.lines.flatMap((line) =>
      pointsOf(line, model).map((row) => [
        ...(faceted ? [title] : []),
        ...row,
        ...(notes.length > 0 ? [notes.join(' · ')] : []),
      ]),
    ),
  );
  return csvTable(header, rows);
}

function pointsOf(line: DrawnLine, model: LineModel): (Cell | undefined)[][] {
  const { categories } = model.x;
  // Values of two units stand in one column: which is whose is said beside them.
  const axis = model.right === undefined ? [] : [yOf(model, line).label];
  return Array.from(line.x, (x, i) => [
    line.label,
    categories === undefined ? x : categories[x - 1],
    line.y[i],
    ...axis,
    line.raw?.[i],
    line.low?.[i],
    line.high?.[i],
    line.n?.[i],
  ]);
}
