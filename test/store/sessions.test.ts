/** How long runs trained, over all sessions: in the records, in the queries, and for runs whose process is gone. */
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { secondsOf } from '../../preload/shared/runTime.ts';
import { column, newRun, newStore, open, randomNumbers, temporaryFolder } from './support.ts';

afterEach(() => void vi.useRealTimers());

it('sessions add up, waiting does not count, on random histories (would catch a queue in the length of a run)', () => {
  const seed = Date.now() % 1e9;
  const random = randomNumbers(seed);
  const store = newStore();
  const expected = new Map<string, number>();
  for (let n = 0; n < 40; n++) {
    const { id } = store.createRun(newRun({ seed: n }));
    let at = 1_000_000;
    let trained = 0;
    const wait = (): number => (at += Math.floor(random() ** 3 * 1e6));
    const sessions = Math.floor(random() * 5);
    for (let session = 0; session < sessions; session++) {
      const begin = wait();
      store.setRunState(id, 'running', { at: begin });
      // The clock may be set back while it trains: such a session counts for nothing, and takes nothing off.
      const end = random() < 0.1 ? begin - 5000 : wait();
      trained += Math.max(0, end - begin);
      if (session === sessions - 1 && random() < 0.5) store.setRunState(id, 'finished', { at: end });
      else {
        store.setRunState(id, random() < 0.5 ? 'queued' : 'stopped', { at: end });
        if (store.getRun(id)!.state === 'stopped') store.setRunState(id, 'queued', { at: wait() });
      }
    }
    const seconds = secondsOf(store.getRun(id)!);
    expect(seconds, `seed ${seed}, run ${n}`).toBe(sessions === 0 ? null : trained / 1000);
    if (seconds !== null) expected.set(id, seconds);
  }
  const limit = [...expected.values()].toSorted((a, b) => a - b)[Math.floor(expected.size / 2)];
  expect(store.listRuns({ where: [{ field: 'time', op: '>=', value: limit }] }).map(({ id }) => id)).toEqual(
    [...expected].filter(([, seconds]) => seconds >= limit).map(([id]) => id),
  );
  expect(
    store
      .listRunLines({ order: { field: 'time' } })
      .slice(0, expected.size)
      .map((run) => secondsOf(run)),
  ).toEqual([...expected.values()].toSorted((a, b) => a - b));
});

it('a run that trains counts up to now, in memory and in queries (would catch live runs that no filter of time finds)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const now = Date.now();
  store.setRunState(id, 'running', { at: now - 90_000 });
  store.setRunState(id, 'queued', { at: now - 80_000 });
  store.setRunState(id, 'running', { at: now - 5000 });
  expect(secondsOf(store.getRun(id)!, now)).toBe(15);
  const found = (op: '<' | '>', value: number) => store.countRuns({ where: [{ field: 'time', op, value }] });
  expect([found('>', 14), found('<', 14), found('<', 60)]).toEqual([1, 0, 1]);
});

it('what was read from a file, and a script that reports, count from their start (would catch imports of no length)', () => {
  const store = newStore();
  const read = store.createRun(newRun({ origin: 'import', state: 'finished', startedAt: 2000, endedAt: 9500 }));
  expect(secondsOf(read)).toBe(7.5);
  const script = store.createRun(newRun({ origin: 'wandb', state: 'running', startedAt: 4000 }));
  expect(secondsOf(script, 6000)).toBe(2);
  expect(secondsOf(store.setRunState(script.id, 'finished', { endedAt: 5000 }))).toBe(1);
});

it('a run whose process is gone trained until it was last heard of, for readers and for good (would catch a night that counts)', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
  const path = join(temporaryFolder(), 'runs.db');
  const writer = open(path);
  const [a, b, c] = writer.createRuns([newRun({ seed: 1 }), newRun({ seed: 2 }), newRun({ seed: 3 })]);
  for (const { id } of [a, b, c]) writer.claimNext({ runId: id });
  vi.setSystemTime(1_700_000_004_000);
  await writer.appendMetrics(a.id, [column('m', [1, 2], (step) => step)], { steps: 2 });
  vi.setSystemTime(1_700_000_009_000);
  writer.setCheckpoint({ runId: b.id, kind: 'last', step: 1, path: 'x', valLoss: null, savedAt: 1 });
  // A name that its owner gives it is no sign of its life.
  vi.setSystemTime(1_700_000_060_000);
  writer.updateRun(c.id, { name: 'renamed' });
  writer.close();
  vi.setSystemTime(1_700_030_000_000);
  const look = (): unknown => {
    const reader = open(path, { readOnly: true });
    const seconds = [a, b, c].map(({ id }) => secondsOf(reader.getRun(id)!));
    const filtered = reader.listRuns({ where: [{ field: 'time', op: '>', value: 4.5 }] }).map(({ id }) => id);
    reader.close();
    return [seconds, filtered];
  };
  expect(look()).toEqual([[4, 9, 0], [b.id]]);
  const next = open(path);
  next.stopOrphans();
  next.close();
  expect(look()).toEqual([[4, 9, 0], [b.id]]);
});
