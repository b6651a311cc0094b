import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconcileCheckpoints } from '../../../main/lab/queue/checkpoints.ts';
import { CANCELLED, defaultConcurrency, requeue, RunQueue } from '../../../main/lab/queue/queue.ts';
import type { QueueEvent } from '../../../main/lab/queue/queue.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { EngineStart } from '../../../preload/contract/engine.ts';
import { fakeLauncher } from './fakeEngine.ts';
import type { FakeEngine, Script } from './fakeEngine.ts';

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-queue-'));
  store = openStore(join(folder, 'runs.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function makeSweep(fakes: readonly string[]) {
  return store.createSweep(
    { name: 'test', spec: {} },
    fakes.map((fake, i) => ({ name: `run ${i}`, config: { fake, seed: i }, seed: i, settingKey: `k${i}` })),
  );
}

const STEPS = 10;
const loss = (seed: number) => (step: number) => 5 / (step + seed + 1);

/** Trains ten steps; saves at step 5; what else it does stands in the setting `fake`. */
const script: Script = async (engine: FakeEngine, { config, resume }: EngineStart) => {
  const seed = config.seed as number;
  const first = resume ? 5 : 0;
  engine.emit({ type: 'begin', step: first, keepUpTo: first === 0 ? -1 : first });
  if (first === 0) {
    engine.points('train/loss', 1, 5, loss(seed));
    engine.emit({ type: 'checkpoint', kind: 'last', step: 5, path: '/checkpoint', loss: 2 });
  }
  if (config.fake === 'wait') while (!engine.stopping && !engine.gone) await delay(2);
  if (engine.stopping) return engine.end('stopped', 'stopped at step 5', 5);
  if (config.fake === 'crash' && !resume) {
    engine.points('train/loss', 6, 8, loss(seed));
    await engine.acknowledged();
    return engine.exit({ signal: 'SIGKILL' });
  }
  if (config.fake === 'throw') return engine.exit({ code: 1, stderr: ['x', 'TypeError: cannot read', '  at f'] });
  if (config.fake === 'memory')
    return engine.exit({ signal: 'SIGABRT', stderr: ['FATAL ERROR: JavaScript heap out of memory'] });
  if (config.fake === 'diverge') return engine.end('failed', 'diverged: train/loss is NaN at step 5', 5);
  if (config.fake === 'unordered') engine.points('train/loss', 3, 4, loss(seed));
  else engine.points('train/loss', 6, STEPS, loss(seed));
  await engine.acknowledged();
  engine.end('finished', 'stop.steps reached (10 steps)', STEPS);
};

function queueOf(sweepId: string, options: Partial<ConstructorParameters<typeof RunQueue>[0]> = {}) {
  const { launch, engines } = fakeLauncher(script);
  const events: QueueEvent[] = [];
  const folders = { checkpoints: join(folder, 'checkpoints'), cache: join(folder, 'cache') };
  const queue = new RunQueue({
    store,
    launch,
    folders,
    concurrency: 2,
    sweepId,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { queue, engines, events };
}

const states = (sweepId: string) => store.listRuns({ sweepId }).map(({ state }) => state);

describe('a queue of runs', () => {
  it('trains every run once, never more at a time than allowed, and finishes the sweep (would catch a run claimed twice or an idle place)', async () => {
    const { sweep, runs } = makeSweep(Array.from({ length: 7 }, () => 'ok'));
    const { queue, engines, events } = queueOf(sweep.id, { concurrency: 3 });
    let active = 0;
    let most = 0;
    await queue.run();
    for (const event of events) {
      if (event.type === 'started') active++;
      if (event.type === 'ended') active--;
      most = Math.max(most, active);
    }
    expect(most).toBe(3);
    expect(engines.map(({ runId }) => runId)).toEqual(runs.map(({ id }) => id));
    expect(states(sweep.id)).toEqual(runs.map(() => 'finished'));
    expect(store.getSweep(sweep.id)!.state).toBe('finished');
    for (const run of runs) {
      const points = store.readAll(run.id, 'train/loss');
      expect([...points.value]).toEqual(Array.from({ length: STEPS }, (_, i) => loss(run.seed)(i + 1)));
      expect(store.getRun(run.id)).toMatchObject({ steps: STEPS, tokens: 100, summary: { 'val/loss': 1 } });
    }
  });

  it('acknowledges points only after their commit (would catch points lost when the host dies)', async () => {
    const { sweep } = makeSweep(['ok']);
    const seen: number[] = [];
    const { launch } = fakeLauncher(script);
    const { queue } = queueOf(sweep.id, {
      launch: (runId, onMessage) => {
        const handle = launch(runId, onMessage);
        return {
          ...handle,
          send: (message) => {
            if (message.type === 'ack') seen.push(store.readAll(runId, 'train/loss').step.length);
            handle.send(message);
          },
        };
      },
    });
    await queue.run();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen[0]).toBeGreaterThanOrEqual(5);
    expect(seen.at(-1)).toBe(STEPS);
  });

  it.each([
    ['crash', /^engine crashed: SIGKILL/u],
    ['throw', /^engine crashed: exit code 1: TypeError: cannot read$/u],
    ['memory', /out of memory.*batch\.micro/u],
    ['diverge', /^diverged: train\/loss is NaN at step 5$/u],
    ['unordered', /^recording failed: .*step 3/u],
  ])(
    'records why a run failed (%s) and goes on with the next (would catch a queue that ends by a crash)',
    async (fake, reason) => {
      const { sweep } = makeSweep([fake, 'ok']);
      await queueOf(sweep.id, { concurrency: 1 }).queue.run();
      const [failed, next] = store.listRuns({ sweepId: sweep.id });
      expect(failed.state).toBe('failed');
      expect(failed.endReason).toMatch(reason);
      expect(next.state).toBe('finished');
    },
  );

  it('continues a crashed run from its checkpoint without gap or repetition, and leaves finished ones alone', async () => {
    const { sweep, runs } = makeSweep(['crash', 'ok']);
    await queueOf(sweep.id).queue.run();
    expect(states(sweep.id)).toEqual(['failed', 'finished']);
    expect(store.readAll(runs[0].id, 'train/loss').step.length).toBe(8);
    expect(requeue(store, { sweepId: sweep.id }, ['stopped'])).toBe(0);
    expect(requeue(store, { sweepId: sweep.id }, ['stopped', 'failed'])).toBe(1);
    const { queue, engines } = queueOf(sweep.id);
    await queue.run();
    expect(engines.map(({ runId }) => runId)).toEqual([runs[0].id]);
    expect(engines[0].received[0]).toMatchObject({ type: 'start', resume: true });
    expect([...store.readAll(runs[0].id, 'train/loss').step]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(store.getRun(runs[0].id)).toMatchObject({ state: 'finished', attempt: 2 });
  });

  it('stops what trains, keeps what waits, and goes on from there (would catch lost or repeated runs after Ctrl-C)', async () => {
    const { sweep } = makeSweep(['wait', 'wait', 'ok']);
    const { queue } = queueOf(sweep.id);
    const done = queue.run();
    while (store.countRuns({ where: [{ field: 'steps', op: '>', value: 0 }] }) < 2) await delay(2);
    await queue.stop('interrupted by the user');
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'queued']);
    expect(store.listRuns({ sweepId: sweep.id })[0].endReason).toBe('interrupted by the user at step 5');
    expect(store.getSweep(sweep.id)!.state).toBe('paused');
    expect(requeue(store, { sweepId: sweep.id }, ['stopped'])).toBe(2);
    // Now they run through: the script waits only until it is told to stop, so tell the second start at once.
    const again = queueOf(sweep.id);
    const finished = again.queue.run();
    while (!store.listRuns({ sweepId: sweep.id }).some(({ state }) => state === 'running')) await delay(2);
    await again.queue.stop('enough');
    await finished;
    expect(store.getRun(store.listRuns({ sweepId: sweep.id })[0].id)!.attempt).toBe(2);
  });

  it('ends an engine that does not stop by itself (would catch a Ctrl-C that hangs)', async () => {
    const { sweep, runs } = makeSweep(['deaf']);
    const { launch } = fakeLauncher((engine) => engine.emit({ type: 'begin', step: 0, keepUpTo: -1 }));
    const { queue } = queueOf(sweep.id, { launch, patience: 20 });
    const done = queue.run();
    await delay(10);
    await queue.stop('interrupted by the user');
    await done;
    expect(store.getRun(runs[0].id)).toMatchObject({
      state: 'stopped',
      endReason: expect.stringContaining('interrupted by the user'),
    });
  });

  it('ends everything at once when told to hurry (would catch a second Ctrl-C that does nothing)', async () => {
    const { sweep, runs } = makeSweep(['deaf', 'deaf', 'ok']);
    const { launch } = fakeLauncher((engine) => engine.emit({ type: 'begin', step: 0, keepUpTo: -1 }));
    const { queue } = queueOf(sweep.id, { launch });
    const done = queue.run();
    await delay(10);
    void queue.stop('interrupted by the user');
    expect(queue.active).toHaveLength(2);
    await queue.stop('interrupted by the user', 'kill');
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'queued']);
    expect(store.getRun(runs[0].id)!.endReason).toBe('interrupted by the user (engine ended at once)');
  });

  it('cancels a waiting and a training run for good (would catch a cancelled run that comes back on resume)', async () => {
    const { sweep, runs } = makeSweep(['wait', 'ok', 'ok']);
    const { queue } = queueOf(sweep.id, { concurrency: 1 });
    const done = queue.run();
    while (queue.active.length === 0) await delay(2);
    await queue.cancel(runs[1].id);
    await queue.cancel(runs[0].id);
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'finished']);
    expect(store.getRun(runs[1].id)!.endReason).toBe(CANCELLED);
    expect(requeue(store, { sweepId: sweep.id }, ['stopped'])).toBe(0);
  });

  it('cancels a whole sweep without starting what waits', async () => {
    const { sweep } = makeSweep(['wait', 'wait', 'ok', 'ok']);
    const { queue, engines } = queueOf(sweep.id);
    const done = queue.run();
    await queue.cancelSweep(sweep.id);
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
    expect(engines.length).toBe(2);
    expect(store.getSweep(sweep.id)!.state).toBe('stopped');
  });

  it('tries again to start an engine that never listens, and gives up after three times (would catch an endless crash loop)', async () => {
    const { sweep, runs } = makeSweep(['ok']);
    let starts = 0;
    const { queue } = queueOf(sweep.id, {
      launch: () => {
        starts++;
        return {
          pid: undefined,
          send: () => {},
          kill: () => {},
          exited: Promise.resolve({ code: 1, signal: null, stderr: ['SyntaxError: bad file'] }),
        };
      },
    });
    await queue.run();
    expect(starts).toBe(3);
    expect(store.getRun(runs[0].id)).toMatchObject({
      state: 'failed',
      endReason: expect.stringContaining('SyntaxError: bad file'),
    });
  });
});

describe('checkpoints that were saved but not recorded', () => {
  it('are recorded from the disk, and records of vanished ones are taken away (would catch a finished run without weights)', () => {
    const { runs } = makeSweep(['ok']);
    const [{ id }] = runs;
    const own = join(folder, 'checkpoints', id);
    const save = (name: string, validationLoss: number | null) => {
      mkdirSync(join(own, name), { recursive: true });
      writeFileSync(
        join(own, name, 'checkpoint.json'),
        JSON.stringify({ sha256: '', body: { state: { validationLoss } } }),
      );
    };
    store.setCheckpoint({
      runId: id,
      kind: 'last',
      step: 50,
      path: join(own, 'last-000000050-1'),
      valLoss: 3,
      savedAt: 1,
    });
    store.setCheckpoint({
      runId: id,
      kind: 'best',
      step: 50,
      path: join(own, 'best-000000050-1'),
      valLoss: 3,
      savedAt: 1,
    });
    save('last-000000080-1', 2);
    save('last-000000080-2', 2.5);
    save('temporary-last-000000090-1', 1);
    // Listed, but gone when it is looked at: an engine replaced it in between (catches a run that fails because of it).
    symlinkSync(join(own, 'gone'), join(own, 'best-000000090-1'));
    reconcileCheckpoints(store, id, own);
    expect(store.checkpoints(id)).toMatchObject([
      { kind: 'last', step: 80, path: join(own, 'last-000000080-2'), valLoss: 2.5 },
    ]);
    reconcileCheckpoints(store, id, join(folder, 'nowhere'));
    expect(store.checkpoints(id)).toEqual([]);
  });
});

describe('the default number of runs at a time', () => {
  it.each([
    [8, 2, 1, 2],
    [8, 2, 2, 1],
    [1, 16, 1, 1],
    [8, 16, 4, 4],
    [8, 2, 16, 1],
    [0, 2, 1, 1],
  ])('%i runs on %i cores with %i threads each: %i', (runs, cores, threads, expected) => {
    expect(defaultConcurrency(runs, cores, threads)).toBe(expected);
  });
});
