/**
 * Lists of many runs: a database of 2,000 runs and 3 million points, as `sweeplab runs ls`, as the list that a page loads, and as a CSV
 * file.
 *
 *   npm run bench -- lists [runs] [points per metric]
 *
 * Writes to a temporary folder under $TMPDIR and removes it afterwards.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode } from '../../preload/contract/codec.ts';
import { packRuns, unpackRuns } from '../../preload/contract/runTable.ts';
import type { RunTable } from '../../preload/contract/runTable.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import { openStore } from '../../main/store/index.ts';

const METRICS = [
  'train/loss',
  'lr',
  'grad/norm',
  'tokens',
  'sequences',
  'epochs',
  'seconds',
  'flops',
  'speed',
  'memory',
];
const PER_SWEEP = 100;
const ROUNDS = 5;
const LIMITS = { 'runs ls': 500, 'runs.list': 200 };

export async function listsBench(args: string[]): Promise<void> {
  const [runs = 2000, points = 150] = args.map(Number);
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-bench-'));
  try {
    await fill(join(home, 'runs.sqlite'), runs, points);
    const command = (...words: string[]): void => {
      const bin = fileURLToPath(new URL('../../main/cli/bin.js', import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, [bin, '--data-dir', home, ...words]);
      if (status !== 0) throw new Error(`${words.join(' ')}: ${String(stderr)}`);
    };
    const csv = join(home, 'runs.csv');
    const seconds = { export: 0 };
    report('runs ls', () => command('runs', 'ls'));
    report('runs.list', () => list(join(home, 'runs.sqlite'), runs));
    seconds.export = report('export', () => command('export', '--out', csv), 1) / 1000;
    const megabytes = statSync(csv).size / 1e6;
    console.log(`lists: ${megabytes.toFixed(0)} MB of CSV, ${(megabytes / seconds.export).toFixed(0)} MB/s`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** @returns the least milliseconds of a few tries, the first of which fills caches of code */
function report(name: string, work: () => void, rounds = ROUNDS): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  const limit = LIMITS[name as keyof typeof LIMITS];
  const least = Math.min(...times);
  const verdict = limit === undefined ? '' : `, limit ${limit} ms: ${least < limit ? 'passed' : 'FAILED'}`;
  console.log(`lists: ${name} ${least.toFixed(0)} ms at best, ${Math.max(...times).toFixed(0)} ms at worst${verdict}`);
  return least;
}

/** What the lab does for a page that loads, and the page with what it gets. */
function list(path: string, expected: number): void {
  const { catalog } = builtInRegistry();
  const store = openStore(path, { readOnly: true, completeConfig: (config) => catalog.complete(config) });
  const message = encode({ runs: packRuns(store.listRuns()) });
  const { runs } = decode(message) as { runs: RunTable };
  if (unpackRuns(runs).length !== expected) throw new Error('runs are missing');
  store.close();
}

/** Sweeps over learning rates with four seeds each, all settings stored as a real lab stores them. */
async function fill(path: string, runs: number, points: number): Promise<void> {
  const store = openStore(path);
  const base = builtInRegistry().defaults;
  const steps = Float64Array.from({ length: points }, (_, i) => i + 1);
  for (let from = 0; from < runs; from += PER_SWEEP) {
    const rows = Array.from({ length: Math.min(PER_SWEEP, runs - from) }, (_, i) => ({
      name: `lr=${i >> 2} seed ${i % 4}`,
      config: { ...base, 'optimizer.lr': 1e-4 * (1 + (i >> 2)), seed: i % 4 },
      seed: i % 4,
      settingKey: `s${i >> 2}`,
      state: 'finished' as const,
      steps: points,
      environment: { executor: 'cpu', scoredText: 'a'.repeat(32), dataset: 'd'.repeat(64), validationTokens: 1000 },
      summary: {
        'val/loss': 2 + 1 / (i + 1),
        'val/bpb': 3,
        ...Object.fromEntries(METRICS.map((name) => [name, i / 7])),
      },
    }));
    const { runs: made } = store.createSweep({ name: `sweep ${from / PER_SWEEP}`, spec: {} }, rows);
    await Promise.all(
      made.map(({ id }, r) =>
        store.appendMetrics(
          id,
          METRICS.map((metric, m) => ({
            metric,
            steps,
            values: Float32Array.from(steps, (x) => 3 + 7 * Math.exp(-x / 90) + Math.sin(x * (r + m + 1)) / 9),
          })),
        ),
      ),
    );
  }
  store.close();
}
