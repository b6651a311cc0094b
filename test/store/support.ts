/** Shared by the tests of the run database: temporary folders, small runs, seeded random numbers. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { OpenOptions, Store } from '../../main/store/index.ts';
import type { MetricColumn } from '../../preload/contract/metrics.ts';
import type { NewRun } from '../../preload/contract/runs.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

export function onCleanup(cleanup: () => void): void {
  cleanups.push(cleanup);
}

/** A folder that lives as long as the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-store-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store that is closed when the test ends. */
export function open(path: string, options?: OpenOptions): Store {
  const store = openStore(path, options);
  cleanups.push(() => store.close());
  return store;
}

export function newStore(options?: OpenOptions): Store {
  return open(join(temporaryFolder(), 'runs.db'), options);
}

export function newRun(overrides: Partial<NewRun> = {}): NewRun {
  return { name: 'a run', config: { 'model.depth': 4 }, seed: 1, settingKey: 'k', ...overrides };
}

export function column(metric: string, steps: Iterable<number>, value: (step: number) => number): MetricColumn {
  const list = Float64Array.from(steps);
  return { metric, steps: list, values: list.map(value) };
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** mulberry32: small, seeded, good enough to choose test cases. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The code of the StoreError that `body` throws or rejects with. */
export async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (error) {
    return String((error as { code?: string }).code);
  }
  return 'no error';
}
