import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { processBegan } from '../../main/files/processBegan.ts';
import { endLeftovers } from '../../main/host/leftovers.ts';
import { programLauncher } from '../../main/host/programProcess.ts';
import { startProgram } from '../../main/lab/programs/programRun.ts';
import { OutsideRuns } from '../../main/lab/outside/outsideRuns.ts';
import { LocalPlace } from '../../main/lab/queue/places/local.ts';
import { RunQueue } from '../../main/lab/queue/queue.ts';
import { requeueKilled } from '../../main/lab/queue/resume.ts';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';
import type { NewRun, RunRecord } from '../../preload/contract/runs.ts';

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-programs-'));
  store = openStore(join(folder, 'runs.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const newRun = (command: readonly string[], i = 0): NewRun => ({
  name: `run ${i}`,
  config: { i },
  seed: 1,
  settingKey: `k${i}`,
  origin: 'program',
  program: { command, folder, resume: null },
});

function queueOf({
  cards = [],
  places = 4,
  patience = 300,
}: { cards?: number[]; places?: number; patience?: number } = {}) {
  const runs = new OutsideRuns({ store, origin: 'wandb' });
  const launch = programLauncher(join(folder, 'engines'));
  const options = { store, runs, launch, files: join(folder, 'files'), env: process.env, patience };
  const begun: [string, string | null][] = [];
  const place = new LocalPlace({
    store,
    places,
    launch: () => {
      throw new Error('no engine here');
    },
    folders: { checkpoints: folder, cache: folder },
    cards: { all: cards.map((index) => ({ index, name: 'RTX 4090', totalBytes: 24 })), usable: false },
    programs: {
      start: (run, slot, onMessage) => {
        begun.push([run.name, slot.device]);
        return startProgram(options, run, slot, onMessage);
      },
    },
  });
  return { queue: new RunQueue({ store, place }), begun, runs, launch };
}

const isThere = (pid: number): boolean => processBegan(pid) !== undefined;
const pidIn = (name: string): number => Number(readFileSync(join(folder, name), 'utf8'));
const atWork = (run: RunRecord): Promise<void> =>
  vi.waitFor(
    () => expect(store.readEvents({ runId: run.id, kinds: ['log'] }).map((e) => e.message)).toContain('ready'),
    10_000,
  );

/** Ignores the wish that it ends, as does what it has started. */
const DEAF = [
  'sh',
  '-c',
  `trap '' TERM; sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 0.05; done' & while [ ! -s child ]; do sleep 0.02; done; echo $$ > parent; echo ready; wait`,
];

describe.skipIf(process.platform === 'win32')('programs', () => {
  it('end with all that they have started, by force where they do not listen (would catch a worker that keeps the card)', async () => {
    const run = store.createRun(newRun(DEAF));
    const { queue } = queueOf();
    queue.kick();
    await atWork(run);
    const pids = [pidIn('child'), pidIn('parent')];
    expect(pids.map(isThere)).toEqual([true, true]);
    await queue.stopRun(run.id);
    await vi.waitFor(() => expect(pids.map(isThere)).toEqual([false, false]), 5000);
    expect(store.getRun(run.id)).toMatchObject({ state: 'stopped', stopCause: 'cancelled' });
    await queue.close();
  });

  it('may save before they end, and go on with the next lab (would catch a kill without a word)', async () => {
    const saves = ['sh', '-c', `trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done`];
    const run = store.createRun(newRun(saves));
    const { queue } = queueOf({ patience: 20_000 });
    queue.kick();
    await atWork(run);
    await queue.close();
    expect(store.getRun(run.id)).toMatchObject({ state: 'queued' });
    expect(store.readEvents({ runId: run.id, kinds: ['log'] }).map((e) => e.message)).toContain('saved');
  });

  it('of a lab that was killed are ended by the next, with what they have started, and recorded (would catch orphans)', async () => {
    const run = store.createRun(newRun(DEAF));
    const claimed = store.claimNext({ origins: ['program'] })!;
    const engines = join(folder, 'engines');
    const env = { ...process.env, SWEEPLAB_RUN_ID: run.id };
    const orphan = programLauncher(engines)({ runId: claimed.id, command: DEAF, folder, env });
    orphan.stdout.resume();
    await vi.waitFor(() => expect(pidIn('parent')).toBeGreaterThan(1), 10_000);
    const pids = [pidIn('child'), pidIn('parent')];
    if (process.platform === 'linux') {
      expect(orphan.memory()).toBeGreaterThan(100_000);
      // The first of them is gone already, which its parent, this test, does not note.
      const note = readFileSync(join(engines, `${pids[1]}.json`));
      process.kill(pids[1]!, 'SIGKILL');
      await vi.waitFor(() => expect(isThere(pids[1]!)).toBe(false), 5000);
      mkdirSync(join(folder, 'again'));
      writeFileSync(join(folder, 'again', `${pids[1]}.json`), note);
      expect(await endLeftovers(join(folder, 'again'))).toEqual([run.id]);
    } else expect(await endLeftovers(engines)).toEqual([run.id]);
    await vi.waitFor(() => expect(pids.map(isThere)).toEqual([false, false]), 5000);
    store.close();
    store = openStore(join(folder, 'runs.sqlite'));
    expect(store.stopOrphans().map(({ id, stopCause }) => [id, stopCause])).toEqual([[run.id, 'killed']]);
    expect(requeueKilled(store)).toEqual({ all: 1, anew: true });
    expect(store.getRun(run.id)!.state).toBe('queued');
  });

  it('have a card each, and one at a time the processor (would catch two programs on one card)', async () => {
    const wait = ['sh', '-c', 'echo ready; echo $CUDA_VISIBLE_DEVICES; while [ ! -e go ]; do sleep 0.02; done'];
    const runs = store.createRuns([0, 1, 2].map((i) => newRun(wait, i)));
    const { queue, begun } = queueOf({ cards: [0, 3], places: 1 });
    queue.kick();
    expect(begun).toEqual([
      ['run 0', 'cuda:0'],
      ['run 1', 'cuda:3'],
    ]);
    await atWork(runs[1]!);
    await vi.waitFor(
      () => expect(store.readEvents({ runId: runs[1]!.id, kinds: ['log'] }).map((e) => e.message)).toContain('3'),
      5000,
    );
    await queue.close('kill');
    const alone = queueOf();
    alone.queue.kick();
    expect(alone.begun).toEqual([['run 0', null]]);
    await alone.queue.close('kill');
  });
});

describe('what is started', () => {
  it('cannot be written by what reports (would catch a script that changes the command of its next start)', () => {
    const run = store.createRun(newRun(['true']));
    store.outside.setSaid(`program/${run.id}`, {
      name: 'x',
      program: { command: ['evil'], folder: '/', resume: null },
    });
    expect(store.outside.program(run.id)!.command).toEqual(['true']);
  });
});
