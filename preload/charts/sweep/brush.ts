/** What ranges along the axes of the parallel coordinates keep. Free of the chart. */
import type { RankedSetting, Ranking } from '../../shared/results/rank.ts';
import { formatSetting } from '../../shared/format.ts';

export type Interval = readonly [number, number];
/** By the name of the axis: a setting, or the metric. On the axis of a setting that is no number the places count from 0. */
export type Brush = ReadonlyMap<string, readonly Interval[]>;

/** What the axis of a setting that is no number has at its places. */
export const categoriesOf = (rows: readonly RankedSetting[], name: string): string[] => {
  const values = rows.map((row) => formatSetting(row.values[name]));
  return [...new Set(values)];
};

/** Rows that have a line. */
export const lined = <R extends RankedSetting>(rows: readonly R[]): R[] => rows.filter((row) => row.metric.n > 0);

/** With the range of one axis replaced; none: released. */
export function withRange(brush: Brush, axis: string, intervals: readonly Interval[]): Brush {
  const next = new Map(brush);
  if (intervals.length === 0) next.delete(axis);
  else next.set(axis, intervals);
  return next;
}

/** Keys of the settings whose line passes all ranges; undefined when no axis has one. */
export function keptBy({ rows, columns, metric }: Ranking, brush: Brush): ReadonlySet<string> | undefined {
  const ranges = [...brush].filter(([axis]) => axis === metric || columns.includes(axis));
  if (ranges.length === 0) return undefined;
  const all = lined(rows);
  const places = new Map<string, (row: RankedSetting) => number>();
  for (const [axis] of ranges) {
    if (axis === metric) places.set(axis, (row) => row.metric.mean);
    else if (all.every(({ values }) => typeof values[axis] === 'number'))
      places.set(axis, ({ values }) => values[axis] as number);
    else {
      const names = categoriesOf(all, axis);
      places.set(axis, ({ values }) => names.indexOf(formatSetting(values[axis])));
    }
  }
  const passes = (row: RankedSetting): boolean =>
    ranges.every(([axis, intervals]) => {
      const at = places.get(axis)!(row);
      return intervals.some(([from, to]) => at >= Math.min(from, to) && at <= Math.max(from, to));
    });
  return new Set(all.filter(passes).map(({ key }) => key));
}
