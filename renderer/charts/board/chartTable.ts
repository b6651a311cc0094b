/** The numbers of a chart as a table: a row for each x at which something was measured, a column for each line. */
import { aligned, formatAlone, withUnit } from '../../../preload/charts/format.ts';
import { yOf } from '../../../preload/charts/draw/model.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { halfOf } from './tip.ts';

export interface ChartNumbers {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Points of x that there are; of more than `MOST_ROWS` every so many are listed, always with the last. */
  readonly points: number;
}

export const MOST_ROWS = 200;

export function tableOf(model: Pick<LineModel, 'lines' | 'x' | 'y' | 'right'>): ChartNumbers {
  const { lines, x } = model;
  const inside = (at: number): boolean => at >= x.min && at <= x.max;
  const all = [...new Set(lines.flatMap((line) => [...line.x].filter(inside)))].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(all.length / MOST_ROWS));
  const shown = all.filter((_, i) => i % stride === 0 || i === all.length - 1);
  const columns = lines.map((line) => columnOf(line, shown, yOf(model, line).unit));
  return {
    heads: [x.label, ...lines.map((line) => headOf(line, model))],
    rows: shown.map((at, i) => [
      x.categories?.[Math.round(at) - 1] ?? formatAlone(at),
      ...columns.map((column) => column[i]),
    ]),
    points: all.length,
  };
}

const headOf = (line: DrawnLine, model: Pick<LineModel, 'y' | 'right'>): string =>
  model.right === undefined ? line.label : withUnit(line.label, yOf(model, line).unit ?? '');

/** Values with their band where it is even; empty where the line has no point. */
function columnOf(line: DrawnLine, at: readonly number[], unit: string | undefined): string[] {
  const places = new Map(Array.from(line.x, (v, i) => [v, i]));
  const found = at.map((v) => places.get(v));
  const values = found.map((i) => (i === undefined ? Number.NaN : line.y[i]));
  const halves = found.map((i, k) => (i === undefined ? Number.NaN : halfOf(line, i, values[k])));
  const texts = aligned(values, halves, unit);
  return texts.map((text, i) => (found[i] === undefined ? '' : text));
}
