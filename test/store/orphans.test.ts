/** What readers see of runs whose process is gone. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { requeueKilled } from '../../main/lab/queue/resume.ts';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-orphans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const newRun = (seed: number) => ({ name: `run ${seed}`, config: { 'model.depth': seed }, seed, settingKey: 'k' });

it('are shown as interrupted once nobody writes, never before, and alike before and after somebody writes (would catch states of the dead)', () => {
  const path = join(folder, 'runs.sqlite');
  const reading = <T>(look: (store: Store) => T): T => {
    const reader = openStore(path, { readOnly: true });
    try {
      return look(reader);
    } finally {
      reader.close();
    }
  };
  const states = () => reading((store) => store.listRuns().map(({ state }) => state));
  const writer = openStore(path);
  const { sweep, runs } = writer.createSweep({ name: 'a sweep', spec: {} }, [0, 1, 2].map(newRun));
  writer.claimNext();
  writer.claimNext();
  writer.setRunState(runs[1].id, 'finished', { reason: 'done' });
  // What others train does not end with our process.
  const other = writer.createRun({ ...newRun(3), origin: 'wandb' });
  writer.setRunState(other.id, 'running');
  // The user has paused one sweep, and stopped the other, while a run of each trained.
  const [paused, stopped] = (['paused', 'stopped'] as const).map((state, i) => {
    const made = writer.createSweep({ name: state, spec: {} }, [newRun(4 + i)]);
    writer.claimNext({ runId: made.runs[0].id });
    writer.updateSweep(made.sweep.id, { state });
    return made;
  });
  // Nothing of this one has begun: it waits for its turn, whoever opens the database.
  const { sweep: untouched } = writer.createSweep({ name: 'waits', spec: {}, state: 'running' }, [newRun(6)]);
  const alive = ['running', 'finished', 'queued', 'running', 'running', 'running', 'queued'];
  expect(states()).toEqual(alive);
  writer.close();

  const look = () =>
    reading((store) => ({
      runs: store.listRuns(),
      lines: store.listRunLines(),
      sweeps: store.listSweeps(),
      running: store.listRuns({ state: 'running' }).map(({ id }) => id),
      stopped: store.listRuns({ state: 'stopped' }).map(({ id }) => id),
      waiting: store.queuedIds(),
      counts: [store.countRuns({ state: 'stopped' }), store.countRuns({ state: 'queued' })],
      one: store.resolveRun('run 0'),
    }));
  const before = look();
  expect(before.runs.map(({ state, stopCause }) => [state, stopCause])).toEqual([
    ['stopped', 'killed'],
    ['finished', null],
    ['queued', null],
    ['running', null],
    // Resuming these sweeps takes them up; nothing else does.
    ['stopped', 'interrupted'],
    ['stopped', 'sweep'],
    ['queued', null],
  ]);
  expect(before.runs[0]).toMatchObject({ endReason: 'interrupted: its process is gone', endedAt: null });
  expect(before.runs[1]).toMatchObject({ endReason: 'done' });
  expect(before.one).toEqual(before.runs[0]);
  expect(before.running).toEqual([other.id]);
  expect(before.stopped).toEqual([runs[0].id, paused.runs[0].id, stopped.runs[0].id]);
  expect(before.sweeps.map(({ id, state }) => [id, state])).toEqual([
    [sweep.id, 'paused'],
    [paused.sweep.id, 'paused'],
    [stopped.sweep.id, 'stopped'],
    [untouched.id, 'running'],
  ]);
  expect(before.sweeps[0].counts).toMatchObject({ queued: 1, running: 0, finished: 1, stopped: 1 });

  const next = openStore(path);
  expect(next.stopOrphans().map(({ id }) => id)).toEqual(before.stopped);
  expect(next.stopOrphans()).toEqual([]);
  expect(look()).toEqual(before);
  next.close();
  expect(look()).toEqual(before);
});

it('go on with the app, and so do their sweeps; what the user had set aside does not (would catch a night without training)', () => {
  const store = openStore(join(folder, 'app.sqlite'));
  const made = (['running', 'paused', 'stopped'] as const).map((state, i) =>
    store.createSweep({ name: state, spec: {} }, [newRun(2 * i), newRun(2 * i + 1)]),
  );
  for (const { runs } of made) store.claimNext({ runId: runs[0].id });
  made.forEach(({ sweep }, i) =>
    store.updateSweep(sweep.id, { state: (['running', 'paused', 'stopped'] as const)[i] }),
  );
  store.close();
  // A command in between changes nothing of that.
  const command = openStore(join(folder, 'app.sqlite'));
  command.stopOrphans();
  expect(command.nextQueued()!.id).toBe(made[2].runs[1].id);
  command.close();
  const app = openStore(join(folder, 'app.sqlite'));
  app.stopOrphans();
  expect(requeueKilled(app)).toEqual({ all: 1, anew: false });
  expect(app.listRuns().map(({ state }) => state)).toEqual([
    'queued',
    'queued',
    'stopped',
    'queued',
    'stopped',
    'queued',
  ]);
  expect(app.listSweeps().map(({ state }) => state)).toEqual(['running', 'paused', 'stopped']);
  expect(app.nextQueued()!.id).toBe(made[0].runs[0].id);
  expect(requeueKilled(app).all).toBe(0);
  app.close();
});

// The system's administrator may write everywhere.
it.skipIf(process.getuid?.() === 0)(
  'a folder that may no longer be written is told while the file is open, and again when it may (would catch a run that cannot be resumed)',
  () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    const store = openStore(join(home, 'runs.sqlite'));
    store.assertThere();
    for (const mode of [0o555, 0o000]) {
      chmodSync(home, mode);
      expect(() => store.assertThere()).toThrow(/the folder .* of the run database can no longer be written/u);
    }
    chmodSync(home, 0o755);
    store.assertThere();
    store.close();
  },
);
