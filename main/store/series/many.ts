/** The same metric of many runs, reduced for charts. */
import type { Series } from '../../../preload/contract/metrics.ts';
import { bucketSize, emptySeries, mostOf } from './reader.ts';
import type { ManyQuery, SeriesReader, SeriesRow } from './reader.ts';

/** Series whose rows are fetched together: enough to save most statements, few enough to hold. */
const TOGETHER = 128;

/** Numbers of points, the last one exclusive. */
interface Within {
  readonly from: number;
  readonly to: number;
}

/** In the order of the runs. Inside one read of the caller. @param keys of the runs */
export function readMany(reader: SeriesReader, keys: readonly number[], metric: string, query: ManyQuery): Series[] {
  const { from = -Infinity, to = Infinity } = query;
  const rows = reader.rowsOf(keys, metric);
  const common = query.aligned
    ? Math.max(
        1,
        ...rows.map((row) => {
          const range = pointsWithin(reader, row, query);
          return bucketSize(range.from, range.to, mostOf(range, query));
        }),
      )
    : undefined;
  const all: Series[] = [];
  for (let at = 0; at < rows.length; at += TOGETHER) {
    const some = rows.slice(at, at + TOGETHER);
    const there = some.filter((row) => row !== undefined);
    reader.together(there, from, to, () => {
      const ranges = some.map((row) => pointsWithin(reader, row, query));
      reader.fetchRanges(
        some.flatMap((series, i) =>
          series === undefined ? [] : [{ series, ...ranges[i]!, maxPoints: mostOf(ranges[i]!, query) }],
        ),
        query.wholeBuckets === true && common === undefined,
      );
      for (const [i, row] of some.entries())
        all.push(reader.once(() => reduced(reader, row, keys[at + i]!, ranges[i]!, query, common)));
    });
  }
  return all;
}

/** The points of a series at the steps of a query. */
function pointsWithin(
  reader: SeriesReader,
  row: SeriesRow | undefined,
  { from = -Infinity, to = Infinity }: ManyQuery,
): Within {
  if (row === undefined) return { from: 0, to: 0 };
  const begin = reader.indexOf(row, from, false);
  return { from: begin, to: Math.max(begin, reader.indexOf(row, to, true)) };
}

/** Points `from` … `to - 1` as a query wants them. */
function reduced(
  reader: SeriesReader,
  row: SeriesRow | undefined,
  run: number,
  { from, to }: Within,
  query: ManyQuery,
  common: number | undefined,
): Series {
  const maxPoints = mostOf({ from, to }, query);
  const series =
    row === undefined
      ? emptySeries()
      : query.wholeBuckets && common === undefined
        ? reader.reduceWhole(row, from, to, maxPoints)
        : reader.reduce(row, from, to, maxPoints, common);
  if (query.x === undefined) return series;
  return { ...series, x: reader.valuesAt(reader.row(run, query.x), series.step) };
}
