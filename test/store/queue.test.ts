import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canFollow, openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';
import { RUN_STATES } from '../../preload/contract/runs.ts';
import type { RunState } from '../../preload/contract/runs.ts';
import { codeOf, column, newRun, newStore, open, randomNumbers, temporaryFolder } from './support.ts';

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

test('runs of a process that is gone are stopped, and begun again only when somebody resumes them (catches: runs that say running for ever)', () => {
  const path = join(temporaryFolder(), 'runs.db');
  let store = openStore(path);
  const [a, b] = store.createRuns([newRun(), newRun()]);
  store.claimNext();
  store.setCheckpoint({ runId: a.id, kind: 'last', step: 40, path: '/c/40', valLoss: 2.5, savedAt: 5 });
  expect(store.stopOrphans()).toEqual([]);
  store.close();
  store = open(path);
  store.claimNext({ runId: b.id });
  const stopped = store.stopOrphans();
  expect(stopped.map((run) => [run.id, run.state, run.checkpoint])).toEqual([[a.id, 'stopped', '/c/40']]);
  expect(store.getRun(b.id)!.state).toBe('running');
  expect(store.readEvents({ runId: a.id }).at(-1)!.message).toContain('interrupted');
  expect(store.claimNext()).toBeUndefined();
  store.setRunState(a.id, 'queued');
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

const waiting = (store: Store): string[] => store.queuedIds().map((id) => store.getRun(id)!.name);

test('queued runs can be moved, alone and together (catches: a run lost from the queue, or one that jumps others)', async () => {
  const store = newStore();
  const named = (name: string) => store.createRun(newRun({ name })).id;
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(named);
  store.moveQueued([d], a);
  expect(waiting(store)).toEqual(['d', 'a', 'b', 'c', 'e']);
  store.moveQueued([d, b], null);
  expect(waiting(store)).toEqual(['a', 'c', 'e', 'd', 'b']);
  // Before one of those that move: the next that stays is meant.
  store.moveQueued([e, a], e);
  expect(waiting(store)).toEqual(['c', 'e', 'a', 'd', 'b']);
  store.moveQueued([], c);
  store.moveQueued([a, a], a);
  expect(waiting(store)).toEqual(['c', 'e', 'a', 'd', 'b']);
  expect(store.claimNext()!.id).toBe(c);
  for (const wrong of [[c], ['nobody']]) {
    expect(await codeOf(() => store.moveQueued([e, ...wrong], null))).toBe(wrong[0] === c ? 'state' : 'not-found');
    expect(await codeOf(() => store.moveQueued([e], wrong[0]))).toBe(wrong[0] === c ? 'state' : 'not-found');
  }
  expect(waiting(store)).toEqual(['e', 'a', 'd', 'b']);
  // One that comes back takes the place that it had; a new one stands behind all, whatever was removed for good before.
  store.setRunState(c, 'queued');
  store.deleteRuns([b]);
  store.purgeRuns([b]);
  named('new');
  expect(waiting(store)).toEqual(['c', 'e', 'a', 'd', 'new']);
});

test('random moves agree with an array (catches: positions that collide after many moves)', () => {
  const seed = Date.now() % 1e6;
  const random = randomNumbers(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const store = newStore();
  let expected: string[] = [];
  for (let i = 0; i < 150; i++) {
    const what = pick(10);
    if (what < 3 || expected.length < 3) expected.push(store.createRun(newRun()).id);
    else if (what === 3) {
      const [gone] = expected.splice(pick(expected.length), 1);
      store.deleteRuns([gone]);
      store.purgeRuns([gone]);
    } else if (what === 4) expect(store.claimNext()!.id).toBe(expected.shift());
    else {
      const moved = expected.filter(() => random() < 0.3).sort(() => random() - 0.5);
      const before = random() < 0.2 ? null : expected[pick(expected.length)];
      store.moveQueued(moved, before);
      const at = before === null ? expected.length : expected.indexOf(before);
      const stays = (id: string): boolean => !moved.includes(id);
      expected = [...expected.slice(0, at).filter(stays), ...moved, ...expected.slice(at).filter(stays)];
    }
    expect(store.queuedIds(), `seed ${seed}, change ${i}`).toEqual(expected);
  }
});

test('runs of other origins are neither taken nor taken up again (catches: an imported run that is trained as ours)', () => {
  const path = join(temporaryFolder(), 'runs.db');
  let store = openStore(path);
  const foreign = (['program', 'wandb', 'import'] as const).map((origin) => store.createRun(newRun({ origin })));
  const scripts = store.createRun(newRun({ origin: 'wandb', state: 'running' }));
  const own = store.createRun(newRun());
  expect(store.claimNext()!.id).toBe(own.id);
  expect(store.claimNext()).toBeUndefined();
  expect(store.claimNext({ origins: ['program'] }, 'elsewhere')).toMatchObject({
    id: foreign[0].id,
    place: 'elsewhere',
  });
  store.close();
  store = open(path);
  // The script goes on reporting, and the other place knows for itself what became of its run.
  expect(store.stopOrphans().map(({ id }) => id)).toEqual([own.id]);
  expect(store.getRun(scripts.id)).toMatchObject({ state: 'running', origin: 'wandb', place: null });
  expect(store.getRun(foreign[0].id)!.state).toBe('running');
  expect(() => store.createRun(newRun({ state: 'running' }))).toThrow('cannot be created as "running"');
  expect(() => store.createRun(newRun({ origin: 'nowhere' as never }))).toThrow('"nowhere" is not an origin');
});

test('a stop keeps its cause until the run goes on (catches: a pruned run that looks cancelled, or one that failed with an old cause)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  expect(store.setRunState(id, 'stopped', { reason: 'no promise', cause: 'pruned' }).stopCause).toBe('pruned');
  expect(store.readEvents({ runId: id }).at(-1)!.data).toEqual({ from: 'queued', to: 'stopped', cause: 'pruned' });
  expect(store.listRuns({ where: [{ field: 'stopCause', op: '=', value: 'pruned' }] })).toHaveLength(1);
  expect(store.setRunState(id, 'queued').stopCause).toBeNull();
  store.claimNext();
  // Only a stop has a cause.
  expect(store.setRunState(id, 'failed', { cause: 'pruned' }).stopCause).toBeNull();
});

test("a sweep's limit and the queue's switches stay over a restart (catches: more runs at once than fit)", () => {
  const path = join(temporaryFolder(), 'runs.db');
  let store = openStore(path);
  const { sweep } = store.createSweep({ name: 's', spec: {}, concurrencyLimit: 2 }, [newRun()]);
  const free = store.createSweep({ name: 't', spec: {} }, [newRun()]).sweep;
  store.setQueueSwitches({ paused: true });
  store.setQueueSwitches({ places: 3 });
  store.close();
  store = open(path);
  expect([store.getSweep(sweep.id)!.concurrencyLimit, store.getSweep(free.id)!.concurrencyLimit]).toEqual([2, null]);
  expect(store.queueSwitches()).toEqual({ paused: true, places: 3 });
  store.setQueueSwitches({ paused: false, places: null });
  expect(store.queueSwitches()).toEqual({ paused: false, places: null });
  expect(store.updateSweep(sweep.id, { concurrencyLimit: null }).concurrencyLimit).toBeNull();
  expect(() => store.updateSweep(sweep.id, { concurrencyLimit: 0 })).toThrow('must be a whole number from 1 on');
});

test('several runs and their sweep change together or not at all (catches: half a sweep stopped by a kill in between)', async () => {
  const store = newStore();
  const { sweep, runs } = store.createSweep({ name: 's', spec: {} }, [newRun(), newRun(), newRun()]);
  const ids = runs.map(({ id }) => id);
  store.claimNext();
  // Whoever takes a run sets its sweep running.
  expect(store.getSweep(sweep.id)!.state).toBe('running');
  store.setRunState(ids[0], 'finished', { progress: { steps: 7, summary: { 'val/loss': 2 } } });
  expect(store.getRun(ids[0])).toMatchObject({ steps: 7, summary: { 'val/loss': 2 } });
  const stopped = { id: sweep.id, state: 'stopped' } as const;
  // The first has finished: nothing happens to the others either.
  expect(await codeOf(() => store.setRunStates(ids, 'stopped', { cause: 'sweep' }, stopped))).toBe('state');
  expect(store.getSweep(sweep.id)).toMatchObject({ state: 'running', counts: { queued: 2, stopped: 0 } });
  store.setRunStates(ids.slice(1), 'stopped', { reason: 'enough', cause: 'sweep' }, stopped);
  expect(store.getSweep(sweep.id)).toMatchObject({ state: 'stopped', counts: { queued: 0, stopped: 2 } });
  expect(store.getRun(ids[2])).toMatchObject({ endReason: 'enough', stopCause: 'sweep' });
});

test('a paused sweep waits, but a run of it that is named is taken (catches: a single run that cannot be resumed)', () => {
  const store = newStore();
  const { sweep, runs } = store.createSweep({ name: 's', spec: {} }, [newRun(), newRun()]);
  store.updateSweep(sweep.id, { state: 'paused' });
  expect([store.claimNext(), store.queuedIds()]).toEqual([undefined, []]);
  expect(store.claimNext({ runId: runs[1].id })!.id).toBe(runs[1].id);
  // The others go on waiting.
  expect(store.getSweep(sweep.id)!.state).toBe('paused');
});
