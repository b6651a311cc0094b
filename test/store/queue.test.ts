import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canFollow, openStore } from '../../main/store/index.ts';
import { RUN_STATES } from '../../preload/contract/runs.ts';
import type { RunState } from '../../preload/contract/runs.ts';
import { codeOf, column, newRun, newStore, open, temporaryFolder } from './support.ts';

/** The way to each state from `queued`. */
const PATHS: Record<RunState, RunState[]> = {
  queued: [],
  running: ['running'],
  finished: ['running', 'finished'],
  failed: ['running', 'failed'],
  stopped: ['stopped'],
};

const LEGAL = [
  'queued→running',
  'queued→stopped',
  'queued→failed',
  'running→finished',
  'running→failed',
  'running→stopped',
  'running→queued',
  'failed→queued',
  'stopped→queued',
];

test('only legal transitions happen; the others change nothing (catches: a finished run trained again)', async () => {
  const store = newStore();
  for (const from of RUN_STATES) {
    for (const to of RUN_STATES) {
      const { id } = store.createRun(newRun());
      for (const state of PATHS[from]) store.setRunState(id, state);
      const before = store.getRun(id);
      const legal = LEGAL.includes(`${from}→${to}`);
      expect(canFollow(from, to)).toBe(legal);
      expect(await codeOf(() => store.setRunState(id, to))).toBe(legal ? 'no error' : 'state');
      if (legal) expect(store.getRun(id)!.state).toBe(to);
      else expect(store.getRun(id)).toEqual(before);
    }
  }
  const { id } = store.createRun(newRun());
  expect(() => store.setRunState(id, 'finished')).toThrow(
    `run ${id} is queued and cannot become finished: it can become running or stopped or failed`,
  );
});

test('attempts, times and reasons are kept right (catches: a retried run that still says why it failed)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  expect(store.setRunState(id, 'running', { at: 100 })).toMatchObject({ attempt: 1, startedAt: 100, endedAt: null });
  const failed = store.setRunState(id, 'failed', { at: 200, reason: 'engine crashed: SIGKILL' });
  expect(failed).toMatchObject({ endedAt: 200, endReason: 'engine crashed: SIGKILL' });
  expect(store.setRunState(id, 'queued')).toMatchObject({ endedAt: null, endReason: null, attempt: 1 });
  expect(store.setRunState(id, 'running', { at: 300 })).toMatchObject({ attempt: 2, startedAt: 100 });
  expect(store.setRunState(id, 'finished', { reason: 'stop.steps reached' }).endReason).toBe('stop.steps reached');
  const states = store.readEvents({ runId: id, kinds: ['state'] }).map((event) => event.data);
  expect(states).toEqual([
    { from: 'queued', to: 'running' },
    { from: 'running', to: 'failed' },
    { from: 'failed', to: 'queued' },
    { from: 'queued', to: 'running' },
    { from: 'running', to: 'finished' },
  ]);
});

test('a run that ends has all its points (catches: a finished run whose last points are still waiting)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  store.setRunState(id, 'running');
  void store.appendMetrics(id, [column('m', [1, 2, 3], () => 0)]);
  store.setRunState(id, 'finished');
  const reader = open(store.path, { readOnly: true });
  expect(reader.readAll(id, 'm').step).toHaveLength(3);
});

test('runs are claimed oldest first, once each (catches: a run trained twice, paused or deleted ones started)', () => {
  const store = newStore();
  const first = store.createRun(newRun({ name: 'first' }));
  const { sweep, runs } = store.createSweep({ name: 's', spec: {} }, [
    newRun({ name: 'second' }),
    newRun({ name: 'third' }),
  ]);
  store.createRun(newRun({ name: 'bin' }));
  store.deleteRuns([store.resolveRun('bin').id]);
  expect(store.nextQueued()!.name).toBe('first');
  expect(store.claimNext({ sweepId: sweep.id })).toMatchObject({ name: 'second', state: 'running', attempt: 1 });
  store.updateSweep(sweep.id, { state: 'paused' });
  expect(store.claimNext()!.id).toBe(first.id);
  expect(store.claimNext()).toBeUndefined();
  store.updateSweep(sweep.id, { state: 'running' });
  expect(store.claimNext({ runId: runs[1].id })!.name).toBe('third');
  expect(store.claimNext()).toBeUndefined();
});

test('runs of a process that is gone are found and queued again (catches: runs that say running for ever)', () => {
  const path = join(temporaryFolder(), 'runs.db');
  let store = openStore(path);
  const [a, b] = store.createRuns([newRun(), newRun()]);
  store.claimNext();
  store.setCheckpoint({ runId: a.id, kind: 'last', step: 40, path: '/c/40', valLoss: 2.5, savedAt: 5 });
  expect(store.recoverInterrupted()).toEqual([]);
  store.close();
  store = open(path);
  store.claimNext({ runId: b.id });
  const recovered = store.recoverInterrupted();
  expect(recovered.map((run) => [run.id, run.state, run.checkpoint])).toEqual([[a.id, 'queued', '/c/40']]);
  expect(store.getRun(b.id)!.state).toBe('running');
  expect(store.readEvents({ runId: a.id }).at(-1)!.message).toContain('interrupted');
  expect(store.claimNext()).toMatchObject({ id: a.id, attempt: 2 });
});

test('a running run cannot be deleted (catches: an engine that writes to a run that is gone)', () => {
  const store = newStore();
  const [a, b] = store.createRuns([newRun(), newRun()]);
  store.setRunState(b.id, 'running');
  expect(() => store.deleteRuns([a.id, b.id])).toThrow('is running; stop it before deleting it');
  expect(store.countRuns()).toBe(2);
});

test('checkpoints: the last and the best, each replaced by the next (catches: resuming from an old one)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const checkpoint = { runId: id, kind: 'last', step: 10, path: 'a', valLoss: NaN, savedAt: 1 } as const;
  store.setCheckpoint(checkpoint);
  store.setCheckpoint({ ...checkpoint, kind: 'best', valLoss: 2 });
  store.setCheckpoint({ ...checkpoint, step: 20, path: 'b', valLoss: 3 });
  expect(store.checkpoints(id)).toEqual([
    { ...checkpoint, kind: 'best', valLoss: 2 },
    { ...checkpoint, step: 20, path: 'b', valLoss: 3 },
  ]);
  expect(store.getRun(id)!.checkpoint).toBe('b');
  store.removeCheckpoint(id, 'last');
  expect(store.getRun(id)!.checkpoint).toBeNull();
});

test('events are numbered in order and can be continued (catches: log lines lost or doubled after a reconnect)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const other = store.createRun(newRun());
  await Promise.all([
    store.appendEvent({ runId: id, kind: 'log', message: 'one', at: 5 }),
    store.appendEvent({ runId: null, kind: 'warning', message: 'disk is slow', data: { ms: 900 } }),
    store.appendEvent({ runId: other.id, kind: 'error', message: 'two' }),
  ]);
  const all = store.readEvents();
  expect(all.map((event) => event.message)).toEqual(['one', 'disk is slow', 'two']);
  expect(all[0]).toEqual({ seq: all[0].seq, runId: id, at: 5, kind: 'log', message: 'one', data: null });
  expect(all[1]).toMatchObject({ runId: null, data: { ms: 900 } });
  expect(store.readEvents({ after: all[0].seq, limit: 1 }).map((event) => event.message)).toEqual(['disk is slow']);
  expect(store.readEvents({ runId: other.id }).map((event) => event.message)).toEqual(['two']);
  expect(store.readEvents({ runId: 'nobody' })).toEqual([]);
  expect(store.lastEvent()).toBe(all[2].seq);
});
