/**
 * Rows of many series, fetched together: a chart of 500 runs needs a few rows of each, and a statement per series costs several times what is
 * in its rows. What was not fetched is asked for one by one, as always, so nothing depends on this but time.
 */

import type { Connection } from '../connection.ts';
import { BLOCK_POINTS, blockKey } from './layout.ts';
import { OVERVIEW_COLUMNS } from './overviews.ts';
import type { OverviewRow } from './overviews.ts';

/** What tells at which steps a block lies. */
export interface BlockHeader {
  readonly first: number;
  readonly stride: number;
  readonly final: number;
  /** The steps are first, first + stride, … */
  readonly even: number;
}

export interface BlockRow {
  readonly key: number;
  readonly first: number;
  readonly stride: number;
  readonly steps: Uint8Array | null;
  readonly vals: Uint8Array;
  /** From level 1 on. */
  readonly low: Uint8Array | null;
  readonly high: Uint8Array | null;
  readonly non_finite: Uint8Array | null;
}

export interface TailRow {
  readonly points: number;
  readonly first: number;
  readonly stride: number;
  readonly steps: Uint8Array | null;
  readonly vals: Uint8Array;
}

type TailColumns = [
  series: number,
  points: number,
  first: number,
  stride: number,
  steps: Uint8Array | null,
  vals: Uint8Array,
];

/** Blocks `from` … `to - 1` of a level. */
export interface BlockRange {
  readonly series: number;
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

const POINTS = 'blocks.key, first, stride, steps, vals';
const BUCKETS = `${POINTS}, low, high, non_finite`;

type BlockColumns = [
  key: number,
  first: number,
  stride: number,
  steps: Uint8Array | null,
  vals: Uint8Array,
  low?: Uint8Array | null,
  high?: Uint8Array | null,
  nonFinite?: Uint8Array | null,
];

const blockOf = ([
  key,
  first,
  stride,
  steps,
  vals,
  low = null,
  high = null,
  nonFinite = null,
]: BlockColumns): BlockRow => ({
  key,
  first,
  stride,
  steps,
  vals,
  low,
  high,
  non_finite: nonFinite,
});

/** Of more blocks a statement costs little beside them, and too much would be held at once. */
const FEW_BLOCKS = 16;

export class FetchedRows {
  readonly #connection: Connection;
  readonly #headers = new Map<number, BlockHeader>();
  readonly #blocks = new Map<number, BlockRow>();
  readonly #tails = new Map<number, TailRow[]>();
  readonly #overviews = new Map<number, OverviewRow | undefined>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  forget(): void {
    this.#headers.clear();
    this.#blocks.clear();
    this.#tails.clear();
    this.#overviews.clear();
  }

  header(series: number, index: number): BlockHeader | undefined {
    const key = blockKey(series, 0, index);
    return (
      this.#headers.get(key) ??
      this.#connection.get<BlockHeader>(
        'SELECT first, stride, final, steps IS NULL AS even FROM blocks WHERE key = ?',
        key,
      )
    );
  }

  /** Of level 0, by series and index. */
  fetchHeaders(blocks: readonly (readonly [series: number, index: number])[]): void {
    if (blocks.length === 0) return;
    const rows = this.#connection.rows<[key: number, first: number, stride: number, final: number, even: number]>(
      `SELECT blocks.key, first, stride, final, steps IS NULL AS even FROM json_each(?) AS wanted
         CROSS JOIN blocks ON blocks.key = wanted.value`,
      JSON.stringify(blocks.map(([series, index]) => blockKey(series, 0, index))),
    );
    for (const [key, first, stride, final, even] of rows) this.#headers.set(key, { first, stride, final, even });
  }

  /** In order; undefined when not all of them were fetched. */
  blocks({ series, level, from, to }: BlockRange): BlockRow[] | undefined {
    if (this.#blocks.size === 0) return undefined;
    const found: BlockRow[] = [];
    for (let index = from; index < to; index++) {
      const row = this.#blocks.get(blockKey(series, level, index));
      if (row === undefined) return undefined;
      found.push(row);
    }
    return found;
  }

  fetchBlocks(ranges: readonly BlockRange[]): void {
    const alike = Map.groupBy(ranges, ({ level, from, to }) => `${to - from} ${level === 0 ? POINTS : BUCKETS}`);
    for (const some of alike.values()) {
      const { level, from, to } = some[0]!;
      if (to - from > FEW_BLOCKS) continue;
      const columns = level === 0 ? POINTS : BUCKETS;
      const rows = this.#connection.rows<BlockColumns>(
        `SELECT ${columns} FROM json_each(?) AS wanted
           CROSS JOIN blocks ON blocks.key BETWEEN wanted.value AND wanted.value + ?`,
        JSON.stringify(some.map(({ series, level: own, from: first }) => blockKey(series, own, first))),
        to - from - 1,
      );
      for (const row of rows) this.#blocks.set(row[0], blockOf(row));
    }
  }

  tail(series: number): TailRow[] {
    return (
      this.#tails.get(series) ??
      this.#connection.all<TailRow>(
        'SELECT points, first, stride, steps, vals FROM tails WHERE series = ? ORDER BY part',
        series,
      )
    );
  }

  fetchTails(series: readonly number[]): void {
    const missing = series.filter((key) => !this.#tails.has(key));
    if (missing.length === 0) return;
    for (const key of missing) this.#tails.set(key, []);
    const rows = this.#connection.rows<TailColumns>(
      `SELECT series, points, first, stride, steps, vals FROM json_each(?) AS wanted
         CROSS JOIN tails ON tails.series = wanted.value ORDER BY series, part`,
      JSON.stringify(missing),
    );
    for (const [key, points, first, stride, steps, vals] of rows)
      this.#tails.get(key)!.push({ points, first, stride, steps, vals });
  }

  overview(series: number): OverviewRow | undefined {
    if (this.#overviews.has(series)) return this.#overviews.get(series);
    return this.#connection.get<OverviewRow>(`SELECT ${OVERVIEW_COLUMNS} FROM overviews WHERE series = ?`, series);
  }

  /** Series that are short have none. */
  fetchOverviews(series: readonly { readonly key: number; readonly points: number }[]): void {
    const long = series.filter(({ points }) => points > BLOCK_POINTS).map(({ key }) => key);
    if (long.length === 0) return;
    for (const key of long) this.#overviews.set(key, undefined);
    const rows = this.#connection.all<OverviewRow & { series: number }>(
      `SELECT series, ${OVERVIEW_COLUMNS} FROM json_each(?) AS wanted
         CROSS JOIN overviews ON overviews.series = wanted.value`,
      JSON.stringify(long),
    );
    for (const row of rows) this.#overviews.set(row.series, row);
  }
}
