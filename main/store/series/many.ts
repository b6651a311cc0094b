/** The same metric of many runs, reduced for charts. */
import type { Series } from '../../../preload/contract/metrics.ts';
import { packSeries } from '../../../preload/contract/seriesTable.ts';
import type { SeriesTable } from '../../../preload/contract/seriesTable.ts';
import { bucketSize, mostOf } from './cuts.ts';
import { Middles } from './middles.ts';
import { emptySeries } from './reader.ts';
import type { ManyQuery, SeriesReader } from './reader.ts';
import type { SeriesRow } from './rows.ts';

/** Series whose rows are fetched together: enough to save most statements, few enough to hold. */
const TOGETHER = 128;

/** The same where all of their points are held at once. */
const FEW = 8;

/** Numbers of points, the last one exclusive. */
interface Within {
  readonly from: number;
  readonly to: number;
}

/** In the order of the runs. Inside one read of the caller. @param keys of the runs */
export function readMany(reader: SeriesReader, keys: readonly number[], metric: string, query: ManyQuery): Series[] {
  return readRows(reader, keys, reader.rowsOf(keys, metric), query);
}

/** As `readMany`, packed for a chart: from memory where all of the series are there. @param runs whose keys these are */
export function readTable(
  reader: SeriesReader,
  runs: readonly string[],
  keys: readonly number[],
  metric: string,
  query: ManyQuery,
  middles: Middles,
): SeriesTable {
  const rows = reader.rowsOf(keys, metric);
  const known = middles.table(runs, rows, query);
  if (known !== undefined) return known;
  const series = readRows(reader, keys, rows, query).map((each, i) => ({ ...each, runId: runs[i]! }));
  // Of a part envelopes are only looked at: the whole curve has the exact ones.
  return packSeries(series, query.envelopes === false ? 'none' : query.wholeBuckets ? 'narrow' : 'exact');
}

function readRows(
  reader: SeriesReader,
  keys: readonly number[],
  rows: readonly (SeriesRow | undefined)[],
  query: ManyQuery,
): Series[] {
  const { from = -Infinity, to = Infinity } = query;
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

/**
 * Keeps series of these runs in memory that are not there, for about so long. Inside one read of the caller.
 * @returns whether there is more to do
 */
export function keepMany(
  reader: SeriesReader,
  keys: readonly number[],
  metric: string,
  middles: Middles,
  milliseconds: number,
): boolean {
  const end = performance.now() + milliseconds;
  const wanted = reader.rowsOf(keys, metric).filter((row) => row !== undefined && Middles.wants(row)) as SeriesRow[];
  if (!middles.hasRoom(Math.max(0, ...wanted.map(({ points }) => points)), wanted.length)) return false;
  const missing = wanted.filter((row) => !middles.has(row));
  for (let at = 0; at < missing.length; at += FEW) {
    const some = missing.slice(at, at + FEW);
    reader.together(some, -Infinity, Infinity, () => {
      reader.fetchRanges(
        some.map((series) => ({ series, from: 0, to: series.points, maxPoints: Infinity })),
        false,
      );
      for (const row of some) {
        const { step, value } = reader.points(row, 0, row.points);
        middles.keep(row, step, value);
      }
    });
    if (performance.now() > end) return at + FEW < missing.length;
  }
  return false;
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
