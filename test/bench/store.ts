/**
 * The run database under load: 10 million points (100 runs × 10 metrics × 10,000) written in batches, then one metric
 * of all runs read at 2,000 points each, which must take less than 200 ms.
 *
 *   node test/bench/store.ts [runs] [metrics] [points]
 *
 * Writes to a temporary folder under $TMPDIR and removes it afterwards.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../main/store/index.ts';

const BATCH = 500;
const MAX_POINTS = 2000;
const LIMIT_MS = 200;
const ROUNDS = 7;

export interface StoreBenchResult {
  readonly points: number;
  readonly writeSeconds: number;
  readonly pointsPerSecond: number;
  readonly bytes: number;
  /** Median: the database was opened just before. */
  readonly coldMs: number;
  /** Median: the same store read it before. */
  readonly warmMs: number;
  readonly slowestMs: number;
  readonly passed: boolean;
}

export async function storeBench(args: string[]): Promise<StoreBenchResult> {
  const [runs = 100, metrics = 10, points = 10_000] = args.map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-bench-'));
  try {
    const path = join(folder, 'runs.db');
    const total = runs * metrics * points;
    const start = performance.now();
    const ids = await write(path, runs, metrics, points);
    const writeSeconds = (performance.now() - start) / 1000;

    const cold: number[] = [];
    const warm: number[] = [];
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const store = openStore(path, { readOnly: true });
      cold.push(read(store, ids, points));
      warm.push(read(store, ids, points));
      bytes = store.sizeOnDisk();
      store.close();
    }
    const slowestMs = Math.max(...cold, ...warm);
    const coldMs = median(cold);
    const warmMs = median(warm);
    const result: StoreBenchResult = {
      points: total,
      writeSeconds,
      pointsPerSecond: total / writeSeconds,
      bytes,
      coldMs,
      warmMs,
      slowestMs,
      passed: Math.max(coldMs, warmMs) < LIMIT_MS,
    };
    console.log(
      `store: wrote ${total.toLocaleString('en')} points in ${writeSeconds.toFixed(1)} s ` +
        `(${(result.pointsPerSecond / 1e6).toFixed(2)} M points/s), ${(bytes / 1e6).toFixed(1)} MB ` +
        `(${(bytes / total).toFixed(2)} bytes/point)`,
    );
    console.log(
      `store: one metric of ${runs} runs × ${points} points at ${MAX_POINTS} points: ` +
        `${result.coldMs.toFixed(1)} ms just opened, ${result.warmMs.toFixed(1)} ms again (medians of ${ROUNDS}), ` +
        `slowest ${slowestMs.toFixed(1)} ms, limit ${LIMIT_MS} ms: ${result.passed ? 'passed' : 'FAILED'}`,
    );
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All runs advance together, in batches, as a busy lab would. Losses are 32-bit floats, as an engine reports them. */
async function write(path: string, runs: number, metrics: number, points: number): Promise<string[]> {
  const store = openStore(path);
  const ids = store
    .createRuns(
      Array.from({ length: runs }, (_, i) => ({ name: `run ${i}`, config: {}, seed: i, settingKey: `s${i >> 2}` })),
    )
    .map((run) => run.id);
  for (let from = 0; from < points; from += BATCH) {
    const size = Math.min(BATCH, points - from);
    const steps = Float64Array.from({ length: size }, (_, i) => from + i);
    const acknowledged = ids.map((id, r) =>
      store.appendMetrics(
        id,
        Array.from({ length: metrics }, (_, m) => ({
          metric: `metric/${m}`,
          steps,
          values: Float32Array.from(steps, (step) => 3 + 7 * Math.exp(-step / 900) + Math.sin(step * (r + m + 1)) / 9),
        })),
      ),
    );
    await Promise.all(acknowledged);
  }
  store.close();
  return ids;
}

function read(store: ReturnType<typeof openStore>, ids: readonly string[], points: number): number {
  const start = performance.now();
  const series = store.readMany(ids, 'metric/3', { maxPoints: MAX_POINTS });
  const elapsed = performance.now() - start;
  for (const one of series) {
    if (one.points !== points || one.step.length > MAX_POINTS || one.step.at(-1) !== points - 1) {
      throw new Error(`read ${one.step.length} entries of ${one.points} points`);
    }
  }
  return elapsed;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed } = await storeBench(process.argv.slice(2));
  if (!passed) process.exitCode = 1;
}
