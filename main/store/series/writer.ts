/** Appends points to series and truncates them. Every public function runs inside a write transaction of its caller. */

import type { Connection } from '../connection.ts';
import { Buckets } from './buckets.ts';
import type { BucketArrays } from './buckets.ts';
import { encodeCounts, encodeNumbers, encodeSteps } from './codec.ts';
import { BLOCK_BUCKETS, BLOCK_POINTS, blockKey, blockKeys, FANOUT, MAX_LEVEL, spanOf, unitOf } from './layout.ts';
import type { SeriesReader } from './reader.ts';
import { seriesKey } from './rows.ts';

/** Rows of a tail before they are joined: few enough to read fast, enough to rewrite seldom. */
const TAIL_PARTS = 64;

/** Series whose tail is kept in memory (16 KiB each). */
const CACHED_SERIES = 4096;

interface OpenSeries {
  readonly key: number;
  /** Room for one block; the first `points % 1,024` entries are the tail. */
  readonly steps: Float64Array;
  readonly values: Float64Array;
  points: number;
  parts: number;
  firstStep: number;
  lastStep: number;
  lastValue: number;
  low: number;
  high: number;
}

export class SeriesWriter {
  readonly #connection: Connection;
  readonly #reader: SeriesReader;
  readonly #open = new Map<string, OpenSeries>();

  constructor(connection: Connection, reader: SeriesReader) {
    this.#connection = connection;
    this.#reader = reader;
  }

  /** The last step of a series, or -Infinity before its first point. */
  lastStep(run: number, metric: string): number {
    const open = this.#open.get(cacheKey(run, metric));
    return open ? open.lastStep : (this.#reader.row(run, metric)?.last_step ?? -Infinity);
  }

  /** Adds points after the last one; the caller has checked the order. */
  append(run: number, metric: string, steps: Float64Array, values: Float64Array): void {
    if (steps.length === 0) return;
    const series = this.#openSeries(run, metric, steps[0]);
    let flushedBlock = false;
    let added = 0;
    while (added < steps.length) {
      const filled = series.points % BLOCK_POINTS;
      const count = Math.min(BLOCK_POINTS - filled, steps.length - added);
      series.steps.set(steps.subarray(added, added + count), filled);
      series.values.set(values.subarray(added, added + count), filled);
      series.points += count;
      added += count;
      if (series.points % BLOCK_POINTS === 0) {
        this.#writeBlock(series);
        flushedBlock = true;
      }
    }
    const left = series.points % BLOCK_POINTS;
    if (flushedBlock || series.parts >= TAIL_PARTS) {
      this.#connection.run('DELETE FROM tails WHERE series = ?', series.key);
      series.parts = 0;
      if (left > 0) this.#writeTail(series, 0, left);
    } else this.#writeTail(series, left - steps.length, left);
    for (const value of values) {
      if (value < series.low || Number.isNaN(series.low)) series.low = value;
      if (value > series.high || Number.isNaN(series.high)) series.high = value;
    }
    series.lastStep = steps[steps.length - 1];
    series.lastValue = values[values.length - 1];
    this.#writeState(series);
  }

  /** Removes the points of a run after `step`. */
  truncate(run: number, step: number): void {
    this.forget();
    for (const row of this.#reader.rows(run)) {
      const points = this.#reader.indexOf(row, step, true);
      if (points === row.points) continue;
      const full = Math.floor(points / BLOCK_POINTS) * BLOCK_POINTS;
      const rest = this.#reader.points(row, full, points);
      if (points === 0) {
        this.remove(row.key);
        continue;
      }
      const last = this.#reader.points(row, points - 1, points);
      const { low, high } = this.#reader.envelope(row, 0, points);
      for (let level = 0; level <= MAX_LEVEL; level++) {
        this.#connection.run(
          'DELETE FROM blocks WHERE key BETWEEN ? AND ?',
          blockKey(row.key, level, Math.floor(points / spanOf(level))),
          blockKey(row.key, level + 1, 0) - 1,
        );
      }
      this.#connection.run('DELETE FROM tails WHERE series = ?', row.key);
      // Once the series has as many points again it would look current.
      this.#connection.run('DELETE FROM overviews WHERE series = ?', row.key);
      const series: OpenSeries = {
        key: row.key,
        steps: rest.step,
        values: rest.value,
        points,
        parts: 0,
        firstStep: row.first_step,
        lastStep: last.step[0],
        lastValue: last.value[0],
        low,
        high,
      };
      if (rest.step.length > 0) this.#writeTail(series, 0, rest.step.length);
      this.#writeState(series);
    }
  }

  /** Joins the tail rows of a run's series, so that an ended run reads fast. */
  seal(run: number): void {
    for (const row of this.#reader.rows(run)) {
      const tail = this.#reader.tail(row);
      if (tail.parts > 1) {
        this.#connection.run('DELETE FROM tails WHERE series = ?', row.key);
        this.#insertTail(row.key, 0, tail.step, tail.value);
      }
      this.#open.delete(cacheKey(run, row.metric));
    }
  }

  /** Removes a series with all its points. */
  remove(key: number): void {
    const { first, last } = blockKeys(key);
    this.#connection.run('DELETE FROM blocks WHERE key BETWEEN ? AND ?', first, last);
    this.#connection.run('DELETE FROM tails WHERE series = ?', key);
    this.#connection.run('DELETE FROM overviews WHERE series = ?', key);
    this.#connection.run('DELETE FROM series WHERE key = ?', key);
    this.forget();
  }

  /** Drops what is kept in memory; needed whenever a transaction was rolled back. */
  forget(): void {
    this.#open.clear();
  }

  #openSeries(run: number, metric: string, firstStep: number): OpenSeries {
    const name = cacheKey(run, metric);
    const cached = this.#open.get(name);
    if (cached) return cached;
    const row = this.#reader.row(run, metric);
    const steps = new Float64Array(BLOCK_POINTS);
    const values = new Float64Array(BLOCK_POINTS);
    let series: OpenSeries;
    if (row) {
      const tail = this.#reader.tail(row);
      steps.set(tail.step);
      values.set(tail.value);
      series = {
        key: row.key,
        steps,
        values,
        points: row.points,
        parts: tail.parts,
        firstStep: row.first_step,
        lastStep: row.last_step,
        lastValue: row.last_value ?? NaN,
        low: row.low ?? NaN,
        high: row.high ?? NaN,
      };
    } else {
      const { lastInsertRowid } = this.#connection.run(
        'INSERT INTO series (run, metric, layer, head, points, first_step, last_step) VALUES (?, ?, ?, ?, 0, ?, ?)',
        run,
        ...seriesKey(metric),
        firstStep,
        firstStep,
      );
      const none = { points: 0, parts: 0, firstStep, lastStep: firstStep, lastValue: NaN, low: NaN, high: NaN };
      series = { key: lastInsertRowid, steps, values, ...none };
    }
    if (this.#open.size >= CACHED_SERIES) this.#open.delete(this.#open.keys().next().value!);
    this.#open.set(name, series);
    return series;
  }

  #writeTail(series: OpenSeries, from: number, to: number): void {
    this.#insertTail(series.key, series.parts, series.steps.slice(from, to), series.values.slice(from, to));
    series.parts++;
  }

  #insertTail(series: number, part: number, step: Float64Array, value: Float64Array): void {
    const { first, stride, steps } = encodeSteps(step);
    this.#connection.run(
      'INSERT INTO tails (series, part, points, first, stride, steps, vals) VALUES (?, ?, ?, ?, ?, ?, ?)',
      series,
      part,
      step.length,
      first,
      stride,
      steps,
      encodeNumbers(value),
    );
  }

  #writeState(series: OpenSeries): void {
    this.#connection.run(
      'UPDATE series SET points = ?, last_step = ?, last_value = ?, low = ?, high = ? WHERE key = ?',
      series.points,
      series.lastStep,
      orNull(series.lastValue),
      orNull(series.low),
      orNull(series.high),
      series.key,
    );
  }

  /** Writes the block that was just filled, and every block of a higher level that it completes. */
  #writeBlock(series: OpenSeries): void {
    const index = series.points / BLOCK_POINTS - 1;
    const { first, stride, steps } = encodeSteps(series.steps);
    const final = series.steps[BLOCK_POINTS - 1];
    this.#connection.run(
      'INSERT INTO blocks (key, first, stride, final, steps, vals) VALUES (?, ?, ?, ?, ?, ?)',
      blockKey(series.key, 0, index),
      first,
      stride,
      final,
      steps,
      encodeNumbers(series.values),
    );
    const buckets = new Buckets(BLOCK_BUCKETS);
    for (let i = 0; i < BLOCK_BUCKETS; i++) {
      buckets.addPoints(i, series.steps, series.values, i * FANOUT, (i + 1) * FANOUT);
    }
    this.#insertBuckets(series.key, 1, index, final, buckets.finish());
    for (let level = 2; level <= MAX_LEVEL && series.points % spanOf(level) === 0; level++) {
      const block = series.points / spanOf(level) - 1;
      const parts = this.#reader.bucketBlocks(series.key, level - 1, block * FANOUT, (block + 1) * FANOUT);
      const larger = new Buckets(BLOCK_BUCKETS);
      const perPart = BLOCK_BUCKETS / FANOUT;
      for (let i = 0; i < BLOCK_BUCKETS; i++) {
        const at = (i % perPart) * FANOUT;
        larger.addBuckets(i, unitOf(level - 1), parts[Math.floor(i / perPart)], at, at + FANOUT);
      }
      this.#insertBuckets(series.key, level, block, final, larger.finish());
    }
  }

  #insertBuckets(series: number, level: number, index: number, final: number, buckets: BucketArrays): void {
    const { first, stride, steps } = encodeSteps(buckets.step);
    this.#connection.run(
      'INSERT INTO blocks (key, first, stride, final, steps, vals, low, high, non_finite) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      blockKey(series, level, index),
      first,
      stride,
      final,
      steps,
      encodeNumbers(buckets.value),
      encodeNumbers(buckets.low),
      encodeNumbers(buckets.high),
      encodeCounts(buckets.nonFinite),
    );
  }
}

function cacheKey(run: number, metric: string): string {
  return `${run} ${metric}`;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
