/** Makes the overviews that are missing (overviews.ts), a few at a time. */

import type { Connection } from '../connection.ts';
import { encodeCounts, encodeNumbers, encodeSteps } from './codec.ts';
import { BLOCK_POINTS } from './layout.ts';
import type { SeriesReader } from './reader.ts';
import { SERIES_COLUMNS } from './rows.ts';
import type { SeriesRow } from './rows.ts';

/** Entries of an overview at most: more than charts of usual width ask for, in a tenth of the bytes of the points. */
const ENTRIES = 512;

/** Series whose keys are looked through at once. */
const WINDOW = 2000;

export class OverviewMaker {
  readonly #connection: Connection;
  readonly #reader: SeriesReader;
  /** Keys of series up to this one were looked through. */
  #looked = 0;
  /** Runs whose points changed since, or that have ended. */
  readonly #noted = new Set<number>();

  constructor(connection: Connection, reader: SeriesReader) {
    this.#connection = connection;
    this.#reader = reader;
  }

  /** Points of the run changed, or it has ended. */
  note(run: number): void {
    this.#noted.add(run);
  }

  /** Looks through everything again; needed whenever a transaction was rolled back. */
  forget(): void {
    this.#looked = 0;
  }

  /**
   * Works for about so long, inside a write transaction of the caller.
   * @returns whether there may be more to do
   */
  advance(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    for (;;) {
      const found = this.#next();
      if (found === undefined) return false;
      for (const series of found) {
        this.#make(series);
        // What of these is not made yet is found again.
        if (performance.now() > end) return true;
      }
      if (performance.now() > end) return true;
    }
  }

  /** Series without their overview, some of them; undefined when there is nothing left to look through. */
  #next(): readonly SeriesRow[] | undefined {
    const missing = `
      SELECT ${SERIES_COLUMNS} FROM series
        JOIN runs ON runs.key = series.run AND runs.state <> 'running'
        LEFT JOIN overviews ON overviews.series = series.key AND overviews.points = series.points
      WHERE series.points > ${BLOCK_POINTS} AND overviews.series IS NULL`;
    const [run] = this.#noted;
    if (run !== undefined) {
      const found = this.#connection.all<SeriesRow>(`${missing} AND series.run = ?`, run);
      if (found.length === 0) this.#noted.delete(run);
      return found;
    }
    const { last } = this.#connection.get<{ last: number | null }>('SELECT max(key) AS last FROM series')!;
    if (last === null || this.#looked >= last) return undefined;
    const found = this.#connection.all<SeriesRow>(
      `${missing} AND series.key > ? AND series.key <= ?`,
      this.#looked,
      this.#looked + WINDOW,
    );
    if (found.length === 0) this.#looked += WINDOW;
    return found;
  }

  #make(series: SeriesRow): void {
    const { step, value, min, max, nonFinite, bucket } = this.#reader.reduce(series, 0, series.points, ENTRIES);
    const middle = <A extends Float64Array | Uint32Array>(column: A): A => column.slice(1, -1) as A;
    const steps = middle(step);
    const inner = encodeSteps(steps.slice(1, -1));
    this.#connection.run(
      `INSERT OR REPLACE INTO overviews
         (series, points, bucket, first_value, first, stride, steps, first_bucket, last_bucket, vals, low, high, non_finite)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      series.key,
      series.points,
      bucket,
      Number.isNaN(value[0]!) ? null : value[0]!,
      inner.first,
      inner.stride,
      inner.steps,
      steps[0]!,
      steps.at(-1)!,
      encodeNumbers(middle(value)),
      encodeNumbers(middle(min)),
      encodeNumbers(middle(max)),
      encodeCounts(middle(nonFinite)),
    );
  }
}
