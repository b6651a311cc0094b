import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PointBuffer, POINTS_AFTER_GAP } from '../../../main/host/services/pointBuffer.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';

let folder: string;
let store: Store;
let runId: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-points-'));
  store = openStore(join(folder, 'runs.sqlite'));
  runId = store.createRun({ name: 'run', config: {}, seed: 0, settingKey: 'k' }).id;
  store.claimNext();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const column = (from: number, to: number, metric = 'loss'): MetricColumn => {
  const steps = Float64Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return { metric, steps, values: steps.map((step) => -step) };
};

describe('points on their way', () => {
  it('are joined in order, metric by metric', () => {
    const buffer = new PointBuffer(1 << 20);
    buffer.add(runId, [column(1, 3), column(1, 1, 'lr')]);
    buffer.add(runId, [column(4, 6)]);
    expect(buffer.take(store)).toEqual({
      runs: [{ runId, columns: [column(1, 6), column(1, 1, 'lr')] }],
      resync: [],
    });
    expect([buffer.empty, buffer.bytes]).toEqual([true, 0]);
  });

  it('that are too many come from the database, from the first missing one on, and take no memory (would catch holes in curves)', async () => {
    const buffer = new PointBuffer(1024);
    await store.appendMetrics(runId, [column(1, 10)]);
    // Not of this client any more: it had these before.
    for (let from = 11; from <= 9011; from += 1000) {
      // Not committed yet when the frame is taken.
      void store.appendMetrics(runId, [column(from, from + 999)]);
      buffer.add(runId, [column(from, from + 999)]);
      expect(buffer.bytes).toBeLessThanOrEqual(1024);
    }
    const { runs, resync } = buffer.take(store);
    expect(resync).toEqual([runId]);
    const [{ steps, values }] = runs[0]!.columns as [MetricColumn];
    expect([steps[0], steps.at(-1), values.at(-1)]).toEqual([11, 10_010, -10_010]);
    expect(steps.length).toBeLessThanOrEqual(POINTS_AFTER_GAP);
    expect([...steps].every((step, i) => i === 0 || step > steps[i - 1]!)).toBe(true);
    // Afterwards they flow again.
    buffer.add(runId, [column(10_011, 10_012)]);
    expect(buffer.take(store)).toEqual({ runs: [{ runId, columns: [column(10_011, 10_012)] }], resync: [] });
  });

  it('after which a resumed run went back are void (would catch points of a part that was trained again)', () => {
    const buffer = new PointBuffer(1 << 20);
    buffer.add(runId, [column(1, 20)]);
    buffer.truncate(runId, 10);
    buffer.add(runId, [column(11, 12)]);
    expect(buffer.take(store).runs).toEqual([{ runId, keepUpTo: 10, columns: [column(11, 12)] }]);
  });

  it('of a run that was purged meanwhile are nobody’s loss', () => {
    const buffer = new PointBuffer(8);
    buffer.add('gone', [column(1, 20)]);
    expect(buffer.take(store)).toEqual({ runs: [{ runId: 'gone', columns: [] }], resync: [] });
  });
});
