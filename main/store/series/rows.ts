/** The rows of the table of series: what a series is known by, and where it stands. */
import { placeOf } from '../../../preload/shared/metricPlace.ts';

export interface SeriesRow {
  readonly key: number;
  /** Its address: the place, where it has one, stands behind the name. */
  readonly metric: string;
  readonly points: number;
  readonly first_step: number;
  readonly last_step: number;
  readonly last_value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Written as `addressOf` does. */
const ADDRESS = `CASE WHEN layer < 0 THEN metric WHEN head < 0 THEN metric || '[' || layer || ']'
  ELSE metric || '[' || layer || ',' || head || ']' END AS metric`;
export const SERIES_COLUMNS = `series.key, ${ADDRESS}, series.points, first_step, last_step, last_value, series.low, series.high`;
/** One series of a run; its numbers are {@link seriesKey}. */
export const ONE = 'series.metric = ? AND layer = ? AND head = ?';
/** With the key of the run before it. */
export type ListedRow = [
  run: number,
  key: number,
  metric: string,
  points: number,
  firstStep: number,
  lastStep: number,
  lastValue: number | null,
  low: number | null,
  high: number | null,
];
export const ROW = `SELECT ${SERIES_COLUMNS} FROM series`;

/** Name, layer and head as the database has them. */
export function seriesKey(address: string): readonly [metric: string, layer: number, head: number] {
  const { name, layer = -1, head = -1 } = placeOf(address);
  return [name, layer, head];
}
