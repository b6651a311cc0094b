/**
 * Long series once more in a few thousand buckets each, in memory: between overviews.ts, which serve what shows everything, and the blocks of
 * points, which serve what shows little. A zoom of a board of 500 runs would else fetch thousands of blocks.
 *
 * Only whole series at even steps are kept, with the row that told of them: one that has changed since counts as not kept. Losing them costs
 * time and nothing else.
 */

import type { SeriesTable } from '../../../preload/contract/seriesTable.ts';
import { narrowed } from '../../../preload/contract/narrow.ts';
import { mean } from './buckets.ts';
import { bucketSize, FEWEST_WHOLE } from './cuts.ts';
import { BLOCK_POINTS } from './layout.ts';
import type { ManyQuery } from './reader.ts';
import type { SeriesRow } from './rows.ts';

/** Buckets of a series at most: with 200 points on a chart, for windows down to a twentieth of it. */
const MOST = 4096;

/** What a bucket takes: its sum, and its envelope in 32 bits, as it is sent. */
const BYTES = 16;

interface Middle {
  readonly row: SeriesRow;
  readonly stride: number;
  /** Points per bucket; buckets lie on multiples of it. */
  readonly unit: number;
  /** Of the finite values of all points but the first and the last one. */
  readonly sum: Float64Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Undefined where all values are finite. */
  readonly odd: Odd | undefined;
  readonly first: Alone;
  readonly last: Alone;
}

/** A point that stands for itself, with its envelope in 32 bits. */
interface Alone {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The values that are not finite: how many a bucket has, and their sum. */
interface Odd {
  readonly count: Uint32Array;
  readonly sum: Float64Array;
}

/** A window as points of a series, cut into whole buckets. */
interface Cut {
  readonly middle: Middle;
  readonly size: number;
  readonly begin: number;
  readonly end: number;
  /** Entries: the buckets, and the ends of the series where they are in it. */
  readonly length: number;
}

export class Middles {
  readonly #limit: number;
  /** The one used longest ago comes first. */
  readonly #middles = new Map<number, Middle>();
  /** Those that cannot be kept. */
  readonly #refused = new Map<number, SeriesRow>();
  #bytes = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether so many series like this one find room beside one another. */
  hasRoom(points: number, series: number): boolean {
    return BYTES * Math.ceil(points / unitOf(points)) * series <= this.#limit;
  }

  /** Whether it is worth while to keep a series: what a chart of usual width shows of a shorter one are its points. */
  static wants(row: SeriesRow): boolean {
    return row.points > BLOCK_POINTS;
  }

  /** Whether there is nothing to keep that is not kept. */
  has(row: SeriesRow): boolean {
    const refused = this.#refused.get(row.key);
    return this.#known(row) !== undefined || (refused !== undefined && sameSeries(refused, row));
  }

  /** @param step all steps of the series. Those at uneven steps are not kept, nor values that 32 bits are too few for. */
  keep(row: SeriesRow, step: Float64Array, value: Float64Array): void {
    this.#forget(row.key);
    const middle = middleOf(row, step, value);
    if (middle === undefined) {
      this.#refused.set(row.key, row);
      return;
    }
    this.#middles.set(row.key, middle);
    this.#bytes += bytesOf(row);
    for (const key of this.#middles.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#forget(key);
    }
  }

  forget(): void {
    this.#middles.clear();
    this.#refused.clear();
    this.#bytes = 0;
  }

  /**
   * The part of these series that a query asks for, in whole buckets as `SeriesReader.reduceWhole` makes them; undefined where one of them is not
   * here, or has too few points there for its buckets: runs of one length shall be cut at the same steps.
   *
   * @param rows undefined for runs without the metric
   */
  table(runs: readonly string[], rows: readonly (SeriesRow | undefined)[], query: ManyQuery): SeriesTable | undefined {
    if (query.wholeBuckets !== true || query.aligned === true || query.x !== undefined) return undefined;
    const cuts: (Cut | undefined)[] = [];
    let entries = 0;
    for (const row of rows) {
      const cut = row === undefined ? undefined : this.#cut(row, query);
      if (row !== undefined && cut === undefined) return undefined;
      cuts.push(cut);
      entries += cut?.length ?? 0;
    }
    const columns = newColumns(entries, query.envelopes !== false);
    const steps = new SharedSteps();
    const at = new Uint32Array(cuts.length);
    let begin = 0;
    for (const [i, cut] of cuts.entries()) {
      if (cut === undefined) continue;
      at[i] = steps.of(cut);
      fill(cut, columns, begin);
      begin += cut.length;
    }
    const { value, min, max, nonFinite } = columns;
    return {
      runs,
      length: Uint32Array.from(cuts, (cut) => cut?.length ?? 0),
      points: Float64Array.from(cuts, (cut) => (cut === undefined ? 0 : cut.end - cut.begin)),
      bucket: Float64Array.from(cuts, (cut) => cut?.size ?? 1),
      step: { at, numbers: steps.numbers() },
      value,
      ...(min === undefined ? {} : { min, max }),
      nonFinite: Uint32Array.from(nonFinite),
    };
  }

  #cut(
    row: SeriesRow,
    { from = -Infinity, to = Infinity, maxPoints = Infinity, loggedUpTo = 0 }: ManyQuery,
  ): Cut | undefined {
    const middle = this.#known(row);
    if (middle === undefined || maxPoints < FEWEST_WHOLE) return undefined;
    const first = indexOf(middle, from, false);
    const behind = Math.max(first, indexOf(middle, to, true));
    if (behind - first <= Math.max(2, loggedUpTo)) return undefined;
    // Less the two points that may come beside the buckets.
    const least = bucketSize(first, behind, maxPoints - 2);
    if (least < middle.unit) return undefined;
    // Now the one used last.
    this.#middles.delete(row.key);
    this.#middles.set(row.key, middle);
    const size = Math.ceil(least / middle.unit) * middle.unit;
    const begin = Math.floor(first / size) * size;
    const end = Math.min(row.points, Math.ceil(behind / size) * size);
    const buckets = Math.floor((Math.min(end, row.points - 1) - 1) / size) - Math.floor(begin / size) + 1;
    return { middle, size, begin, end, length: buckets + Number(begin === 0) + Number(end === row.points) };
  }

  #known(row: SeriesRow): Middle | undefined {
    const middle = this.#middles.get(row.key);
    return middle !== undefined && sameSeries(middle.row, row) ? middle : undefined;
  }

  #forget(key: number): void {
    this.#refused.delete(key);
    const middle = this.#middles.get(key);
    if (middle === undefined) return;
    this.#middles.delete(key);
    this.#bytes -= bytesOf(middle.row);
  }
}

/** The distance of integers at even distances. */
function strideOf(step: Float64Array): number | undefined {
  const first = step[0]!;
  const stride = step[1]! - first;
  if (!Number.isInteger(first) || !Number.isInteger(stride)) return undefined;
  for (let i = 2; i < step.length; i++) if (step[i] !== first + i * stride) return undefined;
  return stride;
}

const unitOf = (points: number): number => Math.max(2, Math.ceil(points / MOST));

const bytesOf = ({ points }: SeriesRow): number => BYTES * Math.ceil(points / unitOf(points));

const sameSeries = (a: SeriesRow, b: SeriesRow): boolean =>
  a.points === b.points &&
  a.first_step === b.first_step &&
  a.last_step === b.last_step &&
  a.last_value === b.last_value &&
  a.low === b.low &&
  a.high === b.high;

function middleOf(row: SeriesRow, step: Float64Array, value: Float64Array): Middle | undefined {
  const stride = strideOf(step);
  const [first, final] = [aloneOf(value[0]!), aloneOf(value.at(-1)!)];
  if (stride === undefined || first === undefined || final === undefined) return undefined;
  const unit = unitOf(row.points);
  const last = row.points - 1;
  const length = Math.floor((last - 1) / unit) + 1;
  const sum = new Float64Array(length);
  const low = new Float64Array(length).fill(Infinity);
  const high = new Float64Array(length).fill(-Infinity);
  let odd: Odd | undefined;
  for (let i = 0; i < length; i++) {
    const end = Math.min(last, (i + 1) * unit);
    for (let at = Math.max(1, i * unit); at < end; at++) {
      const v = value[at]!;
      if (v < low[i]!) low[i] = v;
      if (v > high[i]!) high[i] = v;
      if (Number.isFinite(v)) sum[i]! += v;
      else {
        odd ??= { count: new Uint32Array(length), sum: new Float64Array(length) };
        odd.count[i]!++;
        odd.sum[i]! += v;
      }
    }
  }
  const [lows, highs] = [narrowed(low, -1), narrowed(high, 1)];
  if (!(lows instanceof Float32Array && highs instanceof Float32Array)) return undefined;
  return { row, stride, unit, sum, low: lows, high: highs, odd, first, last: final };
}

function aloneOf(value: number): Alone | undefined {
  const [low, high] = [narrowed(Float64Array.of(value), -1), narrowed(Float64Array.of(value), 1)];
  return low instanceof Float32Array && high instanceof Float32Array
    ? { value, low: low[0]!, high: high[0]! }
    : undefined;
}

/** Of all series of a table one behind another. */
interface Columns {
  readonly value: Float64Array;
  /** Absent where nobody asked for them. */
  readonly min: Float32Array | undefined;
  readonly max: Float32Array | undefined;
  /** Places in them, each followed by how many values there are not finite. */
  readonly nonFinite: number[];
}

const newColumns = (length: number, envelopes: boolean): Columns => ({
  value: new Float64Array(length),
  min: envelopes ? new Float32Array(length) : undefined,
  max: envelopes ? new Float32Array(length) : undefined,
  nonFinite: [],
});

function fill({ middle, size, begin, end, length }: Cut, columns: Columns, at: number): void {
  const { unit, odd, sum: sums, low: lows, high: highs } = middle;
  const { value, min, max, nonFinite } = columns;
  const { points } = middle.row;
  const final = Math.min(end, points - 1);
  let place = at;
  if (begin === 0) put(columns, place++, middle.first);
  for (let from = begin; from < final; from += size) {
    const to = Math.min(final, from + size);
    const a = from / unit;
    const b = Math.floor((to - 1) / unit) + 1;
    let sum = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let i = a; i < b; i++) {
      sum += sums[i]!;
      if (lows[i]! < low) low = lows[i]!;
      if (highs[i]! > high) high = highs[i]!;
    }
    const count = to - Math.max(1, from);
    // Nothing but NaN left both bounds untouched.
    if (low > high) low = high = Number.NaN;
    if (min !== undefined) min[place] = low;
    if (max !== undefined) max[place] = high;
    const gaps = odd === undefined ? 0 : oddOf(odd.count, a, b);
    if (gaps > 0) nonFinite.push(place, gaps);
    value[place] = gaps < count ? mean(sum, count - gaps, low, high) : oddOf(odd!.sum, a, b);
    place++;
  }
  if (end === points) put(columns, at + length - 1, middle.last);
}

function put({ value, min, max, nonFinite }: Columns, place: number, alone: Alone): void {
  value[place] = alone.value;
  if (min !== undefined) min[place] = alone.low;
  if (max !== undefined) max[place] = alone.high;
  if (!Number.isFinite(alone.value)) nonFinite.push(place, 1);
}

function oddOf(column: Uint32Array | Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i]!;
  return sum;
}

/** Steps of entries, once for all series that are cut alike. */
class SharedSteps {
  readonly #known = new Map<string, number>();
  readonly #all: Float64Array[] = [];
  #length = 0;

  /** @returns where they begin */
  of({ middle: { row, stride }, size, begin, end, length }: Cut): number {
    const name = `${row.first_step} ${stride} ${row.points} ${size} ${begin} ${end}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const step = new Float64Array(length);
    let place = 0;
    if (begin === 0) step[place++] = row.first_step;
    const final = Math.min(end, row.points - 1);
    for (let from = begin; from < final; from += size) {
      // The mean of integers at even distances is that of the first and the last one.
      const [a, b] = [Math.max(1, from), Math.min(final, from + size) - 1];
      step[place++] = row.first_step + (stride * (a + b)) / 2;
    }
    if (end === row.points) step[place] = row.last_step;
    const at = this.#length;
    this.#known.set(name, at);
    this.#all.push(step);
    this.#length += length;
    return at;
  }

  numbers(): Float64Array {
    const all = new Float64Array(this.#length);
    let at = 0;
    for (const step of this.#all) {
      all.set(step, at);
      at += step.length;
    }
    return all;
  }
}

/** Number of points before `step`, or up to and including it. */
function indexOf({ row, stride }: Middle, step: number, inclusive: boolean): number {
  const before = (index: number): boolean => {
    const other = row.first_step + index * stride;
    return inclusive ? other <= step : other < step;
  };
  let i = Math.max(0, Math.min(row.points, Math.round((step - row.first_step) / stride)));
  while (i > 0 && !before(i - 1)) i--;
  while (i < row.points && before(i)) i++;
  return i;
}
