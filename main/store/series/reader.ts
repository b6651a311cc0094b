/** Reads series: exact points, ranges by step, and reductions to a number of points through the levels of layout.ts. */

import type { MetricState, Points, Series, SeriesQuery } from '../../../preload/contract/metrics.ts';
import type { Connection } from '../connection.ts';
import { StoreError } from '../errors.ts';
import { Buckets, BucketSheet } from './buckets.ts';
import type { BucketArrays } from './buckets.ts';
import { decodeCounts, decodeNumbers, decodeSteps } from './codec.ts';
import type { EncodedSteps } from './codec.ts';
import { bucketSize, FEWEST_WHOLE, levelFor, touched, wholeBuckets } from './cuts.ts';
import { BLOCK_BUCKETS, BLOCK_POINTS, blockKey, MAX_LEVEL, spanOf, unitOf } from './layout.ts';
import { FetchedRows } from './fetched.ts';
import type { BlockRange, BlockRow } from './fetched.ts';
import { coarser, overviewOf } from './overviews.ts';
import { ONE, ROW, SERIES_COLUMNS, seriesKey } from './rows.ts';
import type { ListedRow, SeriesRow } from './rows.ts';

export interface ManyQuery extends SeriesQuery {
  /** Cut all runs into buckets of one size, so that runs logged at the same steps can be averaged entry by entry. */
  readonly aligned?: boolean;
}

/** Points `from` … `to - 1` of a series. */
export interface PointRange {
  readonly series: SeriesRow;
  readonly from: number;
  readonly to: number;
  /** Entries wanted of them at most. */
  readonly maxPoints: number;
}

interface BlockOfPoints extends Points {
  /** The steps are integers at even distances. */
  readonly even: boolean;
}

/** Arrays of evenly spaced steps that are kept, 8 KiB each. */
const KEPT_STEPS = 256;

/** Buckets of a sheet: half a MiB a column. */
const SHEET = 2 ** 15;

export class SeriesReader {
  readonly #connection: Connection;
  readonly #fetched: FetchedRows;
  readonly #evenSteps = new Map<string, Float64Array>();
  #holding = false;
  /** Points of blocks by their keys. */
  readonly #held = new Map<number, BlockOfPoints>();
  /** Points of tails by their series. */
  readonly #tails = new Map<number, BlockOfPoints>();
  /** Series that are read together; 0 while none are. */
  #together = 0;
  #sheet: BucketSheet | undefined;
  #noneOdd = new Uint32Array();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#fetched = new FetchedRows(connection);
  }

  /**
   * What `body` reads of a series again and again (the ends of a range, its first and last points, what no bucket covers) is decoded
   * once. The database must not change meanwhile.
   */
  once<T>(body: () => T): T {
    if (this.#holding) return body();
    this.#holding = true;
    try {
      return body();
    } finally {
      this.#holding = false;
      this.#held.clear();
      if (this.#together === 0) this.#tails.clear();
    }
  }

  row(run: number, metric: string): SeriesRow | undefined {
    return this.#connection.get<SeriesRow>(`${ROW} WHERE run = ? AND ${ONE}`, run, ...seriesKey(metric));
  }

  rows(run: number): SeriesRow[] {
    return this.#connection.all<SeriesRow>(`${ROW} WHERE run = ? ORDER BY series.metric, layer, head`, run);
  }

  /** A metric in all its places, in their order. */
  placesOf(run: number, metric: string): SeriesRow[] {
    return this.#connection.all<SeriesRow>(
      `${ROW} WHERE run = ? AND series.metric = ? AND layer >= 0 ORDER BY layer, head`,
      run,
      metric,
    );
  }

  /** The same metric of many runs. */
  rowsOf(runs: readonly number[], metric: string): (SeriesRow | undefined)[] {
    const found = this.#connection.rows<ListedRow>(
      `SELECT run, ${SERIES_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN series ON series.run = wanted.value AND ${ONE}`,
      JSON.stringify(runs),
      ...seriesKey(metric),
    );
    const byRun = new Map(
      found.map(([run, key, name, points, first_step, last_step, last_value, low, high]) => [
        run,
        { key, metric: name, points, first_step, last_step, last_value, low, high },
      ]),
    );
    return runs.map((run) => byRun.get(run));
  }

  /**
   * Reads many series within `body` with few statements: what finding the steps `from` and `to` in them takes is fetched at once, and what
   * is fetched then (`fetchRanges`) is held. The database must not change meanwhile.
   */
  together<T>(all: readonly SeriesRow[], from: number, to: number, body: () => T): T {
    this.#together = all.length;
    try {
      const headers: (readonly [series: number, index: number])[] = [];
      const tails = new Set<number>();
      for (const series of all)
        for (const step of [from, to]) {
          if (step <= series.first_step || step >= series.last_step) continue;
          const index = guessBlock(series, step);
          if (index < Math.floor(series.points / BLOCK_POINTS)) headers.push([series.key, index]);
          else tails.add(series.key);
        }
      this.#fetched.fetchHeaders(headers);
      this.#fetched.fetchTails([...tails]);
      return body();
    } finally {
      this.#together = 0;
      this.#sheet = undefined;
      this.#tails.clear();
      this.#fetched.forget();
    }
  }

  /** What `reduce`, or `reduceWhole`, reads of points `from` … `to - 1` of each series. */
  fetchRanges(ranges: readonly PointRange[], whole: boolean): void {
    const overviewed: SeriesRow[] = [];
    const tails = new Set<number>();
    const blocks: BlockRange[] = [];
    for (const { series, from, to, maxPoints } of ranges) {
      if (from >= to) continue;
      const { size, begin, end } =
        whole && maxPoints >= FEWEST_WHOLE
          ? wholeBuckets(series, from, to, maxPoints)
          : { size: bucketSize(from, to, maxPoints), begin: from, end: to };
      if (end > Math.floor(series.points / BLOCK_POINTS) * BLOCK_POINTS) tails.add(series.key);
      if (!whole && size > 1 && to - from === series.points && series.points > BLOCK_POINTS) overviewed.push(series);
      else blocks.push(...touched(series, levelFor(size), begin, end));
    }
    this.#fetched.fetchOverviews(overviewed);
    this.#fetched.fetchTails([...tails]);
    this.#fetched.fetchBlocks(blocks);
  }

  /** Number of points before `step`, or up to and including it. */
  indexOf(series: SeriesRow, step: number, inclusive: boolean): number {
    const before = (other: number): boolean => (inclusive ? other <= step : other < step);
    if (!before(series.first_step)) return 0;
    if (before(series.last_step)) return series.points;
    let low = 0;
    let high = Math.floor(series.points / BLOCK_POINTS);
    let middle = Math.min(high, guessBlock(series, step));
    while (low < high) {
      const block = middle === high ? undefined : this.#fetched.header(series.key, middle);
      if (block === undefined) {
        // The tail: the block before it tells whether the step lies beyond.
        const previous = this.#fetched.header(series.key, high - 1);
        if (previous !== undefined && before(previous.final)) low = high;
        else high--;
      } else if (before(block.final)) low = middle + 1;
      else if (before(block.first)) low = high = middle;
      else high = middle;
      middle = (low + high) >> 1;
    }
    const start = low * BLOCK_POINTS;
    // Mostly the points need not be read: where the steps of a block are even, its row tells all of them.
    const header = low < Math.floor(series.points / BLOCK_POINTS) ? this.#fetched.header(series.key, low) : undefined;
    if (header?.even) {
      const { first, stride } = header;
      let i = Math.max(0, Math.min(BLOCK_POINTS, Math.round((step - first) / stride)));
      while (i > 0 && !before(first + (i - 1) * stride)) i--;
      while (i < BLOCK_POINTS && before(first + i * stride)) i++;
      return start + i;
    }
    const { step: steps } = this.points(series, start, Math.min(start + BLOCK_POINTS, series.points));
    let from = 0;
    let to = steps.length;
    while (from < to) {
      const half = (from + to) >> 1;
      if (before(steps[half])) from = half + 1;
      else to = half;
    }
    return start + from;
  }

  /** Points `from` … `to - 1`, as logged. */
  points(series: SeriesRow, from: number, to: number): Points {
    const step = new Float64Array(Math.max(0, to - from));
    const value = new Float64Array(step.length);
    this.#eachPoints(series, from, to, (start, block) => {
      const a = Math.max(from, start);
      const b = Math.min(to, start + block.step.length);
      step.set(block.step.subarray(a - start, b - start), a - from);
      value.set(block.value.subarray(a - start, b - start), a - from);
    });
    return { step, value };
  }

  /** Points `from` … `to - 1` in at most `maxPoints` entries; `bucket` fixes the bucket size instead. */
  reduce(series: SeriesRow, from: number, to: number, maxPoints: number, bucket?: number): Series {
    const size = bucket ?? bucketSize(from, to, maxPoints);
    if (size === 1 || to - from <= 2) return this.#logged(series, from, to);
    const whole = to - from === series.points;
    const known = whole ? this.#overview(series, size, bucket !== undefined) : undefined;
    const last = to === series.points ? lastOf(series) : this.points(series, to - 1, to);
    const columns =
      known === undefined
        ? this.#bucketed(series, from + 1, to - 1, size, this.points(series, from, from + 1), last)
        : joined([ownEnvelope(known), known.middle, ownEnvelope(last)]);
    return { ...seriesOf(columns), bucket: known?.size ?? size, points: to - from };
  }

  /**
   * As `reduce`, but every bucket is whole, so that no points have to be read for the ends of the range: these move outwards to multiples of the
   * bucket size. Only the first and the last point of the series stand for themselves.
   */
  reduceWhole(series: SeriesRow, from: number, to: number, maxPoints: number): Series {
    if (maxPoints < FEWEST_WHOLE) return this.reduce(series, from, to, maxPoints);
    const { size, begin, end } = wholeBuckets(series, from, to, maxPoints);
    if (size === 1 || to - from <= 2) return this.#logged(series, from, to);
    // The last block of a level ends where the series does, or earlier.
    const level = levelFor(size);
    const complete = Math.floor(series.points / spanOf(level)) * spanOf(level);
    if (begin > 0 && end <= complete && end < series.points && size === unitOf(level))
      return { ...this.#ready(series.key, level, begin / size, end / size), bucket: size, points: end - begin };
    const first = begin === 0 ? this.points(series, 0, 1) : undefined;
    const last = end === series.points ? lastOf(series) : undefined;
    const columns = this.#bucketed(series, Math.max(1, begin), Math.min(end, series.points - 1), size, first, last);
    return { ...seriesOf(columns), bucket: size, points: end - begin };
  }

  /** The values of another metric at given steps (increasing): exact at its own steps, linear between, NaN outside. */
  valuesAt(series: SeriesRow | undefined, steps: Float64Array): Float64Array {
    const result = new Float64Array(steps.length).fill(NaN);
    if (!series || steps.length === 0) return result;
    const from = Math.max(0, this.indexOf(series, steps[0], false) - 1);
    const to = Math.min(series.points, this.indexOf(series, steps.at(-1)!, true) + 1);
    const { step, value } = this.points(series, from, to);
    let right = 0;
    for (let i = 0; i < steps.length; i++) {
      while (right < step.length && step[right] < steps[i]) right++;
      if (right === step.length) break;
      if (step[right] === steps[i]) result[i] = value[right];
      else if (right > 0) {
        const share = (steps[i] - step[right - 1]) / (step[right] - step[right - 1]);
        result[i] = value[right - 1] + share * (value[right] - value[right - 1]);
      }
    }
    return result;
  }

  /** Envelope of the points `from` … `to - 1`. */
  envelope(series: SeriesRow, from: number, to: number): { low: number; high: number } {
    const buckets = new Buckets(1);
    this.#fold(series, MAX_LEVEL, from, to, Infinity, 0, buckets);
    const { low, high } = buckets.finish();
    return { low: low[0], high: high[0] };
  }

  /** Blocks `from` … `to - 1` of a level ≥ 1. */
  bucketBlocks(series: number, level: number, from: number, to: number): BucketArrays[] {
    return this.#blocks(series, level, from, to).map((row) => ({
      step: this.#steps(row, BLOCK_BUCKETS),
      value: decodeNumbers(row.vals, BLOCK_BUCKETS),
      low: decodeNumbers(row.low!, BLOCK_BUCKETS),
      high: decodeNumbers(row.high!, BLOCK_BUCKETS),
      nonFinite: decodeCounts(row.non_finite, BLOCK_BUCKETS),
    }));
  }

  /** The points after the last full block, and in how many rows they lie. */
  tail(series: SeriesRow): BlockOfPoints & { parts: number } {
    const count = series.points % BLOCK_POINTS;
    const rows = this.#fetched.tail(series.key);
    // Of an ended run: nothing has to be put together.
    if (rows.length === 1 && rows[0].points === count) {
      const [row] = rows;
      return { step: this.#steps(row, count), value: decodeNumbers(row.vals, count), even: false, parts: 1 };
    }
    const step = new Float64Array(count);
    const value = new Float64Array(count);
    let at = 0;
    for (const row of rows) {
      step.set(decodeSteps(row, row.points), at);
      value.set(decodeNumbers(row.vals, row.points), at);
      at += row.points;
    }
    if (at !== count)
      throw new StoreError('corrupt', `series ${series.key} has ${at} points in its tail, not ${count}`);
    return { step, value, even: false, parts: rows.length };
  }

  #logged(series: SeriesRow, from: number, to: number): Series {
    const short = from === 0 && to === series.points && to < BLOCK_POINTS;
    const { step, value } = short ? this.#tailOf(series) : this.points(series, from, to);
    let nonFinite = this.#none(value.length);
    for (let i = 0; i < value.length; i++) {
      // True for NaN, ∞ and -∞ alone.
      if (value[i] - value[i] === 0) continue;
      if (nonFinite === this.#noneOdd) nonFinite = new Uint32Array(value.length);
      nonFinite[i] = 1;
    }
    return { step, value, min: value, max: value, nonFinite, bucket: 1, points: to - from };
  }

  /** Of so many values none that is not finite. Never written to. */
  #none(length: number): Uint32Array {
    if (this.#noneOdd.length !== length) this.#noneOdd = new Uint32Array(length);
    return this.#noneOdd;
  }

  /** Buckets `from` … `to - 1` of a level ≥ 1, as they lie there. */
  #ready(series: number, level: number, from: number, to: number): Omit<Series, 'bucket' | 'points'> {
    const [step, value, min, max] = Array.from({ length: 4 }, () => new Float64Array(to - from)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const nonFinite = new Uint32Array(to - from);
    const firstBlock = Math.floor(from / BLOCK_BUCKETS);
    const rows = this.#blocks(series, level, firstBlock, Math.ceil(to / BLOCK_BUCKETS));
    for (const [i, row] of rows.entries()) {
      const begin = (firstBlock + i) * BLOCK_BUCKETS;
      const [a, b] = [Math.max(from, begin), Math.min(to, begin + BLOCK_BUCKETS)];
      const put = <A extends Float64Array | Uint32Array>(into: A, column: A): void =>
        into.set(column.subarray(a - begin, b - begin), a - from);
      put(step, this.#steps(row, BLOCK_BUCKETS));
      put(value, decodeNumbers(row.vals, BLOCK_BUCKETS));
      put(min, decodeNumbers(row.low!, BLOCK_BUCKETS));
      put(max, decodeNumbers(row.high!, BLOCK_BUCKETS));
      if (row.non_finite !== null) put(nonFinite, decodeCounts(row.non_finite, BLOCK_BUCKETS));
    }
    return { step, value, min, max, nonFinite };
  }

  /** Points `from` … `to - 1` in buckets on multiples of `size`, between points that stand for themselves. */
  #bucketed(series: SeriesRow, from: number, to: number, size: number, first?: Points, last?: Points): BucketArrays {
    const before = first === undefined ? 0 : 1;
    const head = Math.floor(from / size) - before;
    const middle = Math.floor((to - 1) / size) - head + 1;
    const length = middle + (last === undefined ? 0 : 1);
    const buckets = new Buckets(length, this.#sheetFor(length));
    this.#fold(series, levelFor(size), from, to, size, head, buckets);
    if (first !== undefined) buckets.addPoints(0, first.step, first.value, 0, 1);
    if (last !== undefined) buckets.addPoints(middle, last.step, last.value, 0, 1);
    const made = buckets.finish();
    // A sum has lost the sign of −0.
    if (first !== undefined) made.value.set(first.value);
    if (last !== undefined) made.value.set(last.value, middle);
    return made;
  }

  /** Columns of many series that are read together lie on few sheets. */
  #sheetFor(length: number): BucketSheet | undefined {
    if (this.#together === 0) return undefined;
    if (this.#sheet === undefined || this.#sheet.free < length)
      this.#sheet = new BucketSheet(Math.max(length, Math.min(SHEET, length * this.#together)));
    return this.#sheet;
  }

  /** What is before the last point, from the overview: in buckets of `size`, or a little coarser where its own do not fill those. */
  #overview(
    series: SeriesRow,
    size: number,
    exact: boolean,
  ): (Points & { readonly middle: BucketArrays; readonly size: number }) | undefined {
    const overview =
      series.points > BLOCK_POINTS ? overviewOf(this.#fetched.overview(series.key), series.points) : undefined;
    if (overview === undefined) return undefined;
    const ratio = size / overview.bucket;
    if (ratio < 1 || (exact && !Number.isInteger(ratio))) return undefined;
    const own = Math.ceil(ratio) * overview.bucket;
    return {
      step: Float64Array.of(series.first_step),
      value: Float64Array.of(overview.firstValue),
      middle: coarser(overview, series.points, own),
      size: own,
    };
  }

  /** Adds points `from` … `to - 1` to buckets of `size` points, of which bucket `head` is the first of `buckets`. */
  #fold(
    series: SeriesRow,
    level: number,
    from: number,
    to: number,
    size: number,
    head: number,
    buckets: Buckets,
  ): void {
    if (from >= to) return;
    const bucketOf = (point: number): number => Math.floor(point / size) - head;
    if (level === 0) {
      this.#eachPoints(series, from, to, (start, block) => {
        const end = Math.min(to, start + block.step.length);
        for (let a = Math.max(from, start); a < end;) {
          const b = Math.min(end, (Math.floor(a / size) + 1) * size);
          buckets.addPoints(bucketOf(a), block.step, block.value, a - start, b - start, block.even);
          a = b;
        }
      });
      return;
    }
    const unit = unitOf(level);
    const span = spanOf(level);
    const complete = Math.floor(series.points / span) * span;
    const begin = Math.ceil(from / unit) * unit;
    const finish = Math.floor(Math.min(to, complete) / unit) * unit;
    if (begin >= finish) {
      this.#fold(series, level - 1, from, to, size, head, buckets);
      return;
    }
    this.#fold(series, level - 1, from, begin, size, head, buckets);
    const firstBlock = Math.floor(begin / span);
    this.bucketBlocks(series.key, level, firstBlock, Math.ceil(finish / span)).forEach((block, i) => {
      const start = (firstBlock + i) * span;
      const end = Math.min(finish, start + span);
      for (let a = Math.max(begin, start); a < end;) {
        const b = Math.min(end, (Math.floor(a / size) + 1) * size);
        buckets.addBuckets(bucketOf(a), unit, block, (a - start) / unit, (b - start) / unit);
        a = b;
      }
    });
    this.#fold(series, level - 1, finish, to, size, head, buckets);
  }

  /** Calls `visit(number of the first point, points)` for every block, and the tail, that touches the range. */
  #eachPoints(series: SeriesRow, from: number, to: number, visit: (start: number, block: BlockOfPoints) => void): void {
    if (from >= to) return;
    const full = Math.floor(series.points / BLOCK_POINTS);
    const end = Math.min(full, Math.ceil(to / BLOCK_POINTS));
    for (let index = Math.floor(from / BLOCK_POINTS); index < end;) {
      const held = this.#held.get(blockKey(series.key, 0, index));
      if (held !== undefined) {
        visit(index * BLOCK_POINTS, held);
        index++;
        continue;
      }
      // What is not held is read in one go.
      let next = index + 1;
      while (next < end && !this.#held.has(blockKey(series.key, 0, next))) next++;
      this.#blocks(series.key, 0, index, next).forEach((row, i) => {
        const points = {
          step: this.#steps(row, BLOCK_POINTS),
          value: decodeNumbers(row.vals, BLOCK_POINTS),
          even: row.steps === null && Number.isInteger(row.first) && Number.isInteger(row.stride),
        };
        if (this.#holding) this.#held.set(row.key, points);
        visit((index + i) * BLOCK_POINTS, points);
      });
      index = next;
    }
    if (to <= full * BLOCK_POINTS) return;
    visit(full * BLOCK_POINTS, this.#tailOf(series));
  }

  #tailOf(series: SeriesRow): BlockOfPoints {
    const tail = this.#tails.get(series.key) ?? this.tail(series);
    if (this.#holding || this.#together > 0) this.#tails.set(series.key, tail);
    return tail;
  }

  /** Runs of a sweep log at the same steps, so evenly spaced ones are kept for the next run. Never written to. */
  #steps(row: EncodedSteps, count: number): Float64Array {
    if (row.steps) return decodeSteps(row, count);
    const name = `${row.first} ${row.stride} ${count}`;
    let steps = this.#evenSteps.get(name);
    if (!steps) {
      steps = decodeSteps(row, count);
      if (this.#evenSteps.size >= KEPT_STEPS) this.#evenSteps.clear();
      this.#evenSteps.set(name, steps);
    }
    return steps;
  }

  #blocks(series: number, level: number, from: number, to: number): BlockRow[] {
    if (from >= to) return [];
    const fetched = this.#fetched.blocks({ series, level, from, to });
    if (fetched !== undefined) return fetched;
    const rows = this.#connection.all<BlockRow>(
      level === 0
        ? 'SELECT key, first, stride, steps, vals FROM blocks WHERE key BETWEEN ? AND ? ORDER BY key'
        : 'SELECT key, first, stride, steps, vals, low, high, non_finite FROM blocks WHERE key BETWEEN ? AND ? ORDER BY key',
      blockKey(series, level, from),
      blockKey(series, level, to - 1),
    );
    if (rows.length !== to - from) {
      throw new StoreError('corrupt', `series ${series} lacks blocks of level ${level} between ${from} and ${to}`);
    }
    return rows;
  }
}

/** Steps are mostly even, so the block is mostly where a straight line from the first step to the last one says. */
function guessBlock({ points, first_step, last_step }: SeriesRow, step: number): number {
  return Math.floor((((step - first_step) / (last_step - first_step)) * points) / BLOCK_POINTS);
}

const ownEnvelope = ({ step, value }: Points): BucketArrays => ({
  step,
  value,
  low: value,
  high: value,
  nonFinite: Uint32Array.from(value, (v) => (Number.isFinite(v) ? 0 : 1)),
});

function joined(parts: readonly BucketArrays[]): BucketArrays {
  const length = parts.reduce((sum, { step }) => sum + step.length, 0);
  const put = <A extends Float64Array | Uint32Array>(all: A, key: keyof BucketArrays): A => {
    let at = 0;
    for (const part of parts) {
      all.set(part[key], at);
      at += part.step.length;
    }
    return all;
  };
  const numbers = (key: keyof BucketArrays): Float64Array => put(new Float64Array(length), key);
  return {
    step: numbers('step'),
    value: numbers('value'),
    low: numbers('low'),
    high: numbers('high'),
    nonFinite: put(new Uint32Array(length), 'nonFinite'),
  };
}

const seriesOf = ({ step, value, low, high, nonFinite }: BucketArrays): Omit<Series, 'bucket' | 'points'> => ({
  step,
  value,
  min: low,
  max: high,
  nonFinite,
});

const lastOf = ({ last_step, last_value }: SeriesRow): Points => ({
  step: Float64Array.of(last_step),
  value: Float64Array.of(last_value ?? NaN),
});

export function emptySeries(): Series {
  const none = new Float64Array(0);
  return { step: none, value: none, min: none, max: none, nonFinite: new Uint32Array(0), bucket: 1, points: 0 };
}

export function metricState(series: SeriesRow): MetricState {
  return {
    points: series.points,
    firstStep: series.first_step,
    lastStep: series.last_step,
    last: series.last_value ?? NaN,
    min: series.low ?? NaN,
    max: series.high ?? NaN,
  };
}
