import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CommitQueue } from '../../main/store/commits.ts';
import { StoreError } from '../../main/store/errors.ts';
import { openStore } from '../../main/store/index.ts';
import { codeOf, column, newRun, newStore, onCleanup, open, range, temporaryFolder } from './support.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface Harness {
  queue: CommitQueue<number>;
  commits: number[][];
  trouble: (StoreError | null)[];
  fail: { error: StoreError | null };
}

function harness(): Harness {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const commits: number[][] = [];
  const trouble: (StoreError | null)[] = [];
  const fail: Harness['fail'] = { error: null };
  const queue = new CommitQueue<number>({
    commit: (items) => {
      if (fail.error) throw fail.error;
      commits.push([...items]);
    },
    weigh: () => 1,
    onTrouble: (error) => trouble.push(error),
  });
  return { queue, commits, trouble, fail };
}

describe('the commit queue', () => {
  test('commits at most 20 times a second, in order (catches: a disk flush per point)', async () => {
    const { queue, commits } = harness();
    const acknowledged: number[] = [];
    for (let i = 0; i < 1000; i++) {
      void queue.push(i).then(() => acknowledged.push(i));
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(60);
    expect(commits.length).toBeGreaterThan(15);
    expect(commits.length).toBeLessThanOrEqual(22);
    expect(commits.flat()).toEqual(range(0, 1000));
    expect(acknowledged).toEqual(range(0, 1000));
  });

  test('acknowledges after the commit, never before (catches: a promise that resolves with the push)', async () => {
    const { queue, commits } = harness();
    let acknowledged = false;
    void queue.push(1).then(() => (acknowledged = true));
    await Promise.resolve();
    await Promise.resolve();
    expect([acknowledged, commits.length]).toEqual([false, 0]);
    queue.flush();
    await Promise.resolve();
    await Promise.resolve();
    expect([acknowledged, commits.length]).toEqual([true, 1]);
  });

  test('keeps everything while the disk is full and tries again (catches: dropped points, a lost order, endless alarms)', async () => {
    const { queue, commits, trouble, fail } = harness();
    fail.error = new StoreError('full', 'no space');
    const first = queue.push(1);
    await vi.advanceTimersByTimeAsync(2000);
    const second = queue.push(2);
    expect(() => queue.flush()).toThrow('no space');
    await vi.advanceTimersByTimeAsync(2000);
    expect(commits).toEqual([]);
    expect(trouble.map((error) => error?.code)).toEqual(['full']);
    fail.error = null;
    await vi.advanceTimersByTimeAsync(6000);
    await Promise.all([first, second]);
    expect(commits).toEqual([[1, 2]]);
    expect(trouble.at(-1)).toBeNull();
  });

  test('an error that cannot pass rejects the promises (catches: waiting for ever)', async () => {
    const { queue, fail } = harness();
    fail.error = new StoreError('corrupt', 'damaged');
    const pushed = codeOf(() => queue.push(1));
    expect(() => queue.flush()).toThrow('damaged');
    expect(await pushed).toBe('corrupt');
    fail.error = null;
    void queue.push(2);
    queue.flush();
  });

  test('takes only so much while the disk is full (catches: a host that runs out of memory overnight)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const queue = new CommitQueue<number>({
      commit: () => {
        throw new StoreError('full', 'no space');
      },
      weigh: (item) => item,
      onTrouble: () => undefined,
    });
    // Large enough to be tried at once.
    queue.push(3_000_000).catch(() => undefined);
    expect(() => queue.assertRoom(1_000_000)).not.toThrow();
    expect(() => queue.assertRoom(2_000_000)).toThrow('3,000,000 points wait');
    queue.rejectAll(new StoreError('closed', 'over'));
    expect(() => queue.assertRoom(2_000_000)).not.toThrow();
  });
});

describe('a full disk', () => {
  test('SQLITE_FULL: a typed error, nothing half-written, and all of it once there is room (catches: lost or torn batches)', async () => {
    const store = newStore({ maxBytes: 400_000 });
    const troubles: (string | undefined)[] = [];
    store.onTrouble((error) => troubles.push(error?.code));
    const { id } = store.createRun(newRun());
    const value = (step: number): number => Math.sin(step);
    let committed = 0;
    let failure: unknown;
    const waiting: Promise<void>[] = [];
    for (let i = 0; i < 100 && failure === undefined; i++) {
      const steps = range(i * 3000, (i + 1) * 3000);
      waiting.push(
        store.appendMetrics(id, [column('a', steps, value), column('b', steps, value)], { steps: (i + 1) * 3000 }),
      );
      try {
        store.flush();
        committed = (i + 1) * 3000;
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toBeInstanceOf(StoreError);
    expect((failure as StoreError).code).toBe('full');
    expect((failure as StoreError).message).toContain('free some space');
    expect(committed).toBeGreaterThan(0);
    expect(store.getRun(id)!.steps).toBe(committed);
    for (const metric of ['a', 'b']) expect(store.readAll(id, metric).step).toHaveLength(committed);
    expect(store.check()).toEqual([]);
    expect(await codeOf(() => store.setRunState(id, 'stopped'))).toBe('full');
    expect(store.getRun(id)!.state).toBe('queued');
    // More may be logged meanwhile, in order.
    const steps = range(committed + 3000, committed + 3500);
    waiting.push(store.appendMetrics(id, [column('a', steps, value), column('b', steps, value)]));
    expect(await codeOf(() => store.appendMetrics(id, [column('a', [committed + 3000], value)]))).toBe('order');
    store.limitSize(Infinity);
    store.flush();
    await Promise.all(waiting);
    for (const metric of ['a', 'b']) {
      expect(store.readAll(id, metric).value).toEqual(Float64Array.from(range(0, committed + 3500), value));
    }
    expect(store.check()).toEqual([]);
    expect(troubles).toEqual(['full', undefined]);
  });

  test('closing over a full disk rejects what was not written (catches: an acknowledgement that is not true)', async () => {
    const store = openStore(join(temporaryFolder(), 'runs.db'), { maxBytes: 300_000 });
    const { id } = store.createRun(newRun());
    const appended = codeOf(() => store.appendMetrics(id, [column('m', range(0, 100_000), (step) => step / 3)]));
    expect(() => store.close()).toThrow('no space left');
    expect(await appended).toBe('full');
    expect(open(store.path).metricNames(id)).toEqual([]);
  });

  test('a real one of 3 MB (catches: a log file that cannot grow)', async ({ skip }) => {
    const disk = mountSmallDisk();
    if (disk === null) skip('this process may not mount a file system');
    const path = join(disk!, 'runs.db');
    const filler = join(disk!, 'filler');
    const store = openStore(path);
    onCleanup(() => store.close());
    const { id } = store.createRun(newRun());
    await store.appendMetrics(id, [column('m', range(0, 1000), (step) => step / 3)]);
    try {
      writeFileSync(filler, new Uint8Array(8_000_000));
    } catch {
      // It takes what there is room for, and that is the point.
    }
    const appended = store.appendMetrics(id, [column('m', range(1000, 60_000), (step) => step / 3)]);
    expect(['full', 'io']).toContain(await codeOf(() => store.flush()));
    expect(store.readAll(id, 'm').step).toHaveLength(1000);
    rmSync(filler);
    store.flush();
    await appended;
    expect(store.readAll(id, 'm').value).toEqual(Float64Array.from(range(0, 60_000), (step) => step / 3));
    expect(store.check()).toEqual([]);
  });
});

/** A file system of 3 MB; null where this process may not mount one. */
function mountSmallDisk(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const folder = join(temporaryFolder(), 'small');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
    onCleanup(() => execFileSync('umount', [folder]));
    return folder;
  } catch {
    return null;
  }
}

test('commits are announced with what they changed (catches: a board that does not move, or moves too early)', async () => {
  const store = newStore();
  const [a, b] = store.createRuns([newRun(), newRun()]);
  const seen: [readonly string[], number, number][] = [];
  const stop = store.onCommit((commit) => seen.push([commit.runIds, commit.lastEvent, store.getRun(a.id)!.steps]));
  await store.appendMetrics(a.id, [column('m', [1], () => 1)], { steps: 1 });
  store.setRunState(b.id, 'running');
  await Promise.resolve();
  stop();
  store.updateRun(a.id, { note: 'x' });
  await Promise.resolve();
  expect(seen).toEqual([
    [[a.id], 0, 1],
    [[b.id], 1, 1],
  ]);
});
