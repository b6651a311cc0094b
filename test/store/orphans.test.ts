/** What readers see of runs whose process is gone. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-orphans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('are shown as interrupted once nobody writes, never before, and are recovered as ever (would catch states of the dead)', () => {
  const path = join(folder, 'runs.sqlite');
  const newRun = (seed: number) => ({ name: `run ${seed}`, config: { 'model.depth': seed }, seed, settingKey: 'k' });
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
  const alive = ['running', 'finished', 'queued', 'running'];
  expect(states()).toEqual(alive);
  writer.close();

  expect(states()).toEqual(['stopped', 'finished', 'queued', 'running']);
  reading((store) => {
    const [run, finished] = store.listRuns();
    expect(run).toMatchObject({
      stopCause: 'interrupted',
      endReason: 'interrupted: its process is gone',
      endedAt: null,
    });
    expect(finished).toMatchObject({ stopCause: null, endReason: 'done' });
    expect(store.listRuns({ state: 'running' }).map(({ id }) => id)).toEqual([other.id]);
    expect(store.listRuns({ state: 'stopped' }).map(({ id }) => id)).toEqual([run.id]);
    expect(store.countRuns({ state: 'stopped' })).toBe(1);
    expect(store.getRun(run.id)).toEqual(run);
    expect(store.resolveRun('run 0')).toEqual(run);
    expect(store.getSweep(sweep.id)).toMatchObject({
      state: 'paused',
      counts: { queued: 1, running: 0, finished: 1, stopped: 1 },
    });
  });

  const next = openStore(path);
  expect(next.recoverInterrupted('queued').map(({ id }) => id)).toEqual([runs[0].id]);
  expect(states()).toEqual(['queued', 'finished', 'queued', 'running']);
  next.close();
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
