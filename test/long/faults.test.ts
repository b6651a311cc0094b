/** Faults of disks, clocks and processes that nobody had tried: each must end in what was there before, or in words. */
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { finishing, TestLab, Watch } from '../host/services/support.ts';
import { random, SEED } from '../oracles/random.ts';
import { newRun } from '../store/support.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-faults-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

it(`a write-ahead log cut off anywhere leaves a whole, earlier state (seed ${SEED})`, async () => {
  const path = join(folder, 'runs.sqlite');
  const store = openStore(path);
  const { id } = store.createRun(newRun());
  const pick = random();
  for (let step = 0; step < 300; step++)
    await store.appendMetrics(
      id,
      [{ metric: 'train/loss', steps: Float64Array.of(step), values: Float64Array.of(step) }],
      { steps: step + 1 },
    );
  const log = `${path}-wal`;
  const { size } = statSync(log);
  expect(size).toBeGreaterThan(100_000);
  for (let round = 0; round < 40; round++) {
    const copy = join(folder, `copy-${round}.sqlite`);
    copyFileSync(path, copy);
    copyFileSync(log, `${copy}-wal`);
    truncateSync(`${copy}-wal`, pick.integer(0, size));
    const read = openStore(copy);
    expect(read.check(), `seed ${SEED}, round ${round}`).toEqual([]);
    const run = read.getRun(id);
    // The very first transactions may be lost: then there is no run yet.
    if (run !== undefined)
      expect([...read.readAll(id, 'train/loss').step]).toEqual(Array.from({ length: run.steps }, (_, i) => i));
    read.close();
  }
  store.close();
});

it('a clock that goes back while a run trains costs nothing (would catch negative times and orders by time)', async () => {
  const lab = new TestLab();
  try {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    await lab.open(async (engine, begin) => {
      vi.setSystemTime(Date.now() - 3_600_000);
      await finishing(engine, begin);
    });
    const client = lab.client();
    const { sweepId } = await client.call('sweeps.launch', {
      draft: { recipe: 'quick', settings: { 'data.size': 20_000 }, seeds: 3 },
    });
    const sweeps = new Watch(client, 'sweeps');
    const { sweep } = await client.call('sweeps.get', { id: sweepId });
    if (sweep.state !== 'finished')
      await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    const { store } = lab.server.lab;
    for (const run of store.listRuns({ sweepId })) {
      expect(run.state).toBe('finished');
      expect(run.endedAt! - run.startedAt!).toBeGreaterThanOrEqual(0);
      expect(store.readAll(run.id, 'train/loss').step).toHaveLength(10);
    }
    const events = store.readEvents({});
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b));
  } finally {
    await lab.close();
  }
});
