/**
 * The same metric of many runs as one table: a few long columns instead of eight small ones per run, which take longer to name and to find than
 * to send. Steps that runs share, as those of a sweep do, are there once.
 */
import type { Series } from './metrics.ts';
import { narrowed } from './narrow.ts';

export type RunSeries = Series & { readonly runId: string };

/** Numbers of runs that may be the same for several of them. */
interface Shared {
  /** Where those of each run begin. */
  readonly at: Uint32Array;
  readonly numbers: Float64Array;
}

export interface SeriesTable {
  readonly runs: readonly string[];
  /** Of each run: entries, logged points, points per bucket. */
  readonly length: Uint32Array;
  readonly points: Float64Array;
  readonly bucket: Float64Array;
  readonly step: Shared;
  readonly x?: Shared;
  /** Of all runs one behind another. */
  readonly value: Float64Array;
  /**
   * The same, of the runs whose points are reduced: for the others they are the values. In 32 bits they are rounded away from the values. Absent
   * where they were not asked for.
   */
  readonly min?: Float64Array | Float32Array;
  readonly max?: Float64Array | Float32Array;
  /** Mostly there are none: places in `value`, each followed by how many values there are not finite. */
  readonly nonFinite: Uint32Array;
}

/**
 * @param envelopes `narrow`: in half the bytes, exact where 32 bits hold them, as those of logged losses, else wider by less than they show;
 *   `none`: they are left out
 */
export function packSeries(
  series: readonly RunSeries[],
  envelopes: 'exact' | 'narrow' | 'none' = 'exact',
): SeriesTable {
  const envelope = (columns: readonly Float64Array[], away: -1 | 1): Float64Array | Float32Array =>
    envelopes === 'narrow' ? narrowed(joined(columns), away) : joined(columns);
  const value = new Float64Array(series.reduce((sum, each) => sum + each.value.length, 0));
  const reduced = series.filter(({ bucket }) => bucket > 1);
  const odd: number[] = [];
  let at = 0;
  for (const each of series) {
    value.set(each.value, at);
    const { nonFinite } = each;
    for (let i = 0; i < nonFinite.length; i++) if (nonFinite[i]! > 0) odd.push(at + i, nonFinite[i]!);
    at += each.value.length;
  }
  const xs = series.map(({ x }) => x);
  return {
    runs: series.map(({ runId }) => runId),
    length: Uint32Array.from(series, ({ value: { length } }) => length),
    points: Float64Array.from(series, ({ points }) => points),
    bucket: Float64Array.from(series, ({ bucket }) => bucket),
    step: share(series.map(({ step }) => step)),
    ...(xs.every((x) => x !== undefined) && xs.length > 0 ? { x: share(xs) } : {}),
    value,
    ...(envelopes === 'none'
      ? {}
      : {
          min: envelope(
            reduced.map(({ min }) => min),
            -1,
          ),
          max: envelope(
            reduced.map(({ max }) => max),
            1,
          ),
        }),
    nonFinite: Uint32Array.from(odd),
  };
}

export function unpackSeries(table: SeriesTable): RunSeries[] {
  const { length, points, bucket, value } = table;
  const stepOf = sharedOf(table.step);
  const xOf = table.x === undefined ? undefined : sharedOf(table.x);
  const lows = table.min && wideWhenAsked(table.min);
  const highs = table.max && wideWhenAsked(table.max);
  const none = new Map<number, Uint32Array>();
  let [at, atReduced, odd] = [0, 0, 0];
  return table.runs.map((runId, i): RunSeries => {
    const n = length[i]!;
    const own = value.subarray(at, at + n);
    const begin = atReduced;
    const envelope = (column: (() => Float64Array) | undefined): Float64Array =>
      bucket[i] === 1 || column === undefined ? own : column().subarray(begin, begin + n);
    let nonFinite = none.get(n) ?? new Uint32Array(n);
    if (table.nonFinite[odd]! < at + n) {
      nonFinite = new Uint32Array(n);
      for (; table.nonFinite[odd]! < at + n; odd += 2)
        nonFinite[table.nonFinite[odd]! - at] = table.nonFinite[odd + 1]!;
    } else none.set(n, nonFinite);
    const series = {
      runId,
      step: stepOf(i, n),
      ...(xOf === undefined ? {} : { x: xOf(i, n) }),
      value: own,
      get min() {
        return envelope(lows);
      },
      get max() {
        return envelope(highs);
      },
      nonFinite,
      ...(bucket[i] === 1 || lows !== undefined ? {} : { bare: true as const }),
      bucket: bucket[i]!,
      points: points[i]!,
    };
    at += n;
    if (bucket[i] !== 1) atReduced += n;
    return series;
  });
}

/** The arrays of a table, to be handed over from a thread. */
export const buffersOf = ({ step, x, ...columns }: SeriesTable): ArrayBuffer[] =>
  [...Object.values(columns), ...Object.values(step), ...Object.values(x ?? {})].flatMap((column) =>
    ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : [],
  );

function joined(columns: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(columns.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const column of columns) {
    all.set(column, at);
    at += column.length;
  }
  return all;
}

/** What equals the one before is not there again. */
function share(columns: readonly Float64Array[]): Shared {
  const distinct: Float64Array[] = [];
  const at = new Uint32Array(columns.length);
  let [end, begin] = [0, 0];
  columns.forEach((column, i) => {
    const last = distinct.at(-1);
    if (last === undefined || !same(last, column)) {
      distinct.push(column);
      begin = end;
      end += column.length;
    }
    at[i] = begin;
  });
  return { at, numbers: joined(distinct) };
}

function same(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** Most charts never look at envelopes. */
function wideWhenAsked(column: Float64Array | Float32Array): () => Float64Array {
  let wide = column instanceof Float64Array ? column : undefined;
  return () => (wide ??= new Float64Array(column));
}

/** The numbers of a run; one array for all that share them. */
function sharedOf({ at, numbers }: Shared): (run: number, length: number) => Float64Array {
  let last: Float64Array | undefined;
  let begin = -1;
  return (run, length) => {
    if (last === undefined || begin !== at[run] || last.length !== length) {
      begin = at[run]!;
      last = numbers.subarray(begin, begin + length);
    }
    return last;
  };
}
