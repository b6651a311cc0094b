import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconcileCheckpoints } from '../../../main/lab/queue/checkpoints.ts';
import { cardEnv } from '../../../main/lab/queue/place.ts';
import { cardsFor } from '../../../main/lab/queue/places/cards.ts';
import type { Cards } from '../../../main/lab/queue/places/cards.ts';
import { defaultPlaces } from '../../../main/lab/queue/places/default.ts';
import { LocalPlace } from '../../../main/lab/queue/places/local.ts';
import type { LocalPlaceOptions } from '../../../main/lab/queue/places/local.ts';
import { RunQueue } from '../../../main/lab/queue/queue.ts';
import type { QueueEvent, QueueOptions } from '../../../main/lab/queue/queue.ts';
import { requeueAlone, requeueRun, requeueSweep, STOP_WORDS } from '../../../main/lab/queue/resume.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { EngineInfo, EngineStart } from '../../../preload/contract/engine.ts';
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

type Options = Partial<Omit<QueueOptions, 'place'> & LocalPlaceOptions>;

function queueOf(
  sweepId: string | undefined,
  { launch: other, places = 2, patience, cards, ...options }: Options = {},
) {
  const { launch, engines } = fakeLauncher(script);
  const events: QueueEvent[] = [];
  const folders = { checkpoints: join(folder, 'checkpoints'), cache: join(folder, 'cache') };
  const place = new LocalPlace({ store, launch: other ?? launch, folders, places, patience, cards });
  const queue = new RunQueue({
    store,
    place,
    ...(sweepId === undefined ? {} : { scope: { sweepId } }),
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { queue, engines, events };
}

const states = (sweepId: string) => store.listRuns({ sweepId }).map(({ state }) => state);

describe('a queue of runs', () => {
  it('trains every run once, never more at a time than allowed, and finishes the sweep (would catch a run claimed twice or an idle place)', async () => {
    const { sweep, runs } = makeSweep(Array.from({ length: 7 }, () => 'ok'));
    const { queue, engines, events } = queueOf(sweep.id, { places: 3 });
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
      launch: (runId, onMessage, slot) => {
        const handle = launch(runId, onMessage, slot);
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
      await queueOf(sweep.id, { places: 1 }).queue.run();
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
    expect(requeueSweep(store, sweep.id, ['stopped'])).toBe(0);
    expect(requeueSweep(store, sweep.id, ['stopped', 'failed'])).toBe(1);
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
    queue.stop();
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'queued']);
    expect(store.listRuns({ sweepId: sweep.id })[0].stopCause).toBe('interrupted');
    expect(store.listRuns({ sweepId: sweep.id })[0].endReason).toBe('interrupted by the user at step 5');
    expect(store.getSweep(sweep.id)!.state).toBe('paused');
    expect(requeueSweep(store, sweep.id, ['stopped'])).toBe(2);
    // Now they run through: the script waits only until it is told to stop, so tell the second start at once.
    const again = queueOf(sweep.id);
    const finished = again.queue.run();
    while (!store.listRuns({ sweepId: sweep.id }).some(({ state }) => state === 'running')) await delay(2);
    again.queue.stop();
    await finished;
    expect(store.getRun(store.listRuns({ sweepId: sweep.id })[0].id)!.attempt).toBe(2);
  });

  it('ends an engine that does not stop by itself (would catch a Ctrl-C that hangs)', async () => {
    const { sweep, runs } = makeSweep(['deaf']);
    const { launch } = fakeLauncher((engine) => engine.emit({ type: 'begin', step: 0, keepUpTo: -1 }));
    const { queue } = queueOf(sweep.id, { launch, patience: 20 });
    const done = queue.run();
    await delay(10);
    queue.stop();
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
    queue.stop();
    expect(queue.active).toHaveLength(2);
    queue.stop('kill');
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'queued']);
    expect(store.getRun(runs[0].id)!.endReason).toBe('interrupted by the user (engine ended at once)');
  });

  it('cancels a waiting and a training run for good (would catch a cancelled run that comes back on resume)', async () => {
    const { sweep, runs } = makeSweep(['wait', 'ok', 'ok']);
    const { queue } = queueOf(sweep.id, { places: 1 });
    const done = queue.run();
    while (queue.active.length === 0) await delay(2);
    await queue.stopRun(runs[1].id);
    await queue.stopRun(runs[0].id);
    await done;
    expect(states(sweep.id)).toEqual(['stopped', 'stopped', 'finished']);
    expect(store.getRun(runs[1].id)).toMatchObject({ endReason: STOP_WORDS.cancelled, stopCause: 'cancelled' });
    expect(requeueSweep(store, sweep.id, ['stopped'])).toBe(0);
  });

  it('cancels a whole sweep without starting what waits', async () => {
    const { sweep } = makeSweep(['wait', 'wait', 'ok', 'ok']);
    const { queue, engines } = queueOf(sweep.id);
    const done = queue.run();
    await queue.stopSweep(sweep.id);
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

/** A sweep whose runs wait until they are told to stop, with a limit of its own. */
function limited(limit: number | null, count: number, device?: string) {
  const runs = Array.from({ length: count }, (_, i) => ({
    name: `${device ?? limit} ${i}`,
    config: { fake: 'wait', seed: i, ...(device === undefined ? {} : { device, 'precision.policy': 'fp32' }) },
    seed: i,
    settingKey: `k${i}`,
  }));
  return store.createSweep({ name: `at most ${limit}`, spec: {}, concurrencyLimit: limit }, runs);
}
const training = (): string[] => store.listRuns({ state: 'running' }).map(({ name }) => name);

/** What an engine says of itself before it trains; of its data nothing that matters here. */
const INFO = {
  type: 'info',
  parameterCount: 1,
  flopsPerToken: 1,
  tokensPerStep: 1,
  plannedSteps: 1,
  plannedFlops: 1,
  varies: false,
  limit: 'stop.steps 1',
  dataset: {} as EngineInfo['dataset'],
  environment: { executor: 'cuda' },
  memory: { persistentBytes: 1, arenaBytes: 1 } as EngineInfo['memory'],
} as const;

describe('a queue that stays', () => {
  it('keeps the limit of a sweep over a restart (would catch more runs at once than fit into the memory)', async () => {
    limited(2, 4);
    for (let host = 0; host < 2; host++) {
      const { queue } = queueOf(undefined, { places: 4 });
      queue.kick();
      expect(training()).toEqual(['2 0', '2 1']);
      await queue.close('kill');
      expect(store.listRuns().map(({ state }) => state)).toEqual(['queued', 'queued', 'queued', 'queued']);
      const { path } = store;
      store.close();
      store = openStore(path);
    }
  });

  it('begins nothing beside a run that leaves no room, also not of another sweep (would catch a small run that crowds a large one out)', async () => {
    limited(1, 1);
    const free = limited(null, 2);
    const { queue } = queueOf(undefined, { places: 3 });
    queue.kick();
    expect(training()).toEqual(['1 0']);
    // The other way round, the large one waits for its turn and is not overtaken for ever.
    queue.move([free.runs[1].id], free.runs[0].id);
    await queue.stopRun(store.listRuns({ state: 'running' })[0].id);
    expect(training()).toEqual(['null 0', 'null 1']);
    const late = limited(1, 1);
    store.createRun({ name: 'behind', config: { fake: 'wait', seed: 9 }, seed: 9, settingKey: 'b' });
    queue.added();
    expect(training()).toEqual(['null 0', 'null 1']);
    for (const { id } of free.runs) await queue.stopRun(id);
    expect(training()).toEqual(['1 0']);
    expect(late.runs[0].id).toBe(queue.active[0]);
    await queue.close('kill');
  });

  describe('with several cards', () => {
    const card = (index: number, name = 'RTX 4090', gib = 24) => ({ index, name, totalBytes: gib * 2 ** 30 });
    const two: Cards = { all: [card(0), card(1)], usable: true };

    function onCards(cards: Cards, places: number) {
      const slots: (string | null)[] = [];
      const { launch } = fakeLauncher(script);
      const { queue } = queueOf(undefined, {
        places,
        cards,
        launch: (runId, onMessage, slot) => {
          slots.push(slot.device);
          return launch(runId, onMessage, slot);
        },
      });
      return { queue, slots };
    }

    it('gives each of them one run (would catch a second GPU that stays idle, or one that gets both)', async () => {
      limited(4, 3, 'cuda');
      const { queue, slots } = onCards(two, 2);
      queue.kick();
      expect([slots, training()]).toEqual([
        ['cuda:0', 'cuda:1'],
        ['cuda 0', 'cuda 1'],
      ]);
      await queue.stopRun(store.listRuns({ state: 'running' })[1].id);
      expect(slots).toEqual(['cuda:0', 'cuda:1', 'cuda:1']);
      expect(store.listRuns({ state: 'running' }).map(({ place }) => place)).toEqual(['local', 'local']);
      // As many on each as the user wants, shared out evenly, and no more than fit.
      limited(4, 5, 'cuda');
      queue.setConcurrency(5);
      expect(slots).toEqual(['cuda:0', 'cuda:1', 'cuda:1', 'cuda:0', 'cuda:1', 'cuda:0']);
      await queue.close('kill');
    });

    it('keeps to the limit of a card (would catch two runs on a card that has memory for one)', async () => {
      limited(1, 4, 'cuda');
      const { queue, slots } = onCards(two, 8);
      queue.kick();
      expect(slots).toEqual(['cuda:0', 'cuda:1']);
      await queue.close('kill');
    });

    it('lets runs for a free card pass those that wait for another, and nobody else (would catch an idle card, or a run that waits for ever)', async () => {
      limited(null, 3, 'cuda:0');
      limited(null, 2, 'cuda:1');
      limited(null, 1, 'cuda');
      const { queue, slots } = onCards(two, 2);
      queue.kick();
      expect(training()).toEqual(['cuda:0 0', 'cuda:1 0']);
      await queue.stopRun(store.listRuns({ state: 'running' })[1].id);
      // The run for any card came later than the next one for this card.
      expect(training()).toEqual(['cuda:0 0', 'cuda:1 1']);
      await queue.stopRun(store.listRuns({ state: 'running' })[1].id);
      expect(training()).toEqual(['cuda:0 0', 'cuda 0']);
      expect(slots).toEqual(['cuda:0', 'cuda:1', 'cuda:1', 'cuda:1']);
      await queue.close('kill');
    });

    it('gives runs that ask for none the like of the largest, and others only by name', async () => {
      limited(null, 2, 'auto');
      limited(null, 1, 'cuda:0');
      const { queue, slots } = onCards({ all: [card(0, 'RTX 3060', 12), card(2)], usable: true }, 2);
      queue.kick();
      expect([slots, training()]).toEqual([
        ['cuda:2', 'cuda:0'],
        ['auto 0', 'cuda:0 0'],
      ]);
      await queue.close('kill');
    });

    it('shows a process one card alone, also a part of one that has no number', () => {
      const shown = (visible: string | undefined) => cardEnv({ device: 'cuda:1' }, visible).CUDA_VISIBLE_DEVICES;
      expect([undefined, '1,0', '1', 'MIG-1a'].map(shown)).toEqual(['1', '1', '1', 'MIG-1a']);
      expect(cardEnv({ device: null }, 'MIG-1a')).toEqual({});
    });

    it('counts for the processor where that trains (would catch auto runs on a card that cannot be used)', async () => {
      limited(null, 2, 'auto');
      limited(null, 1, 'cpu');
      const { queue, slots } = onCards({ ...two, usable: false }, 3);
      queue.kick();
      expect(slots).toEqual([null, null, null]);
      await queue.close('kill');
      expect(cardsFor([{ device: 'auto', 'precision.policy': 'fp32' }], { ...two, usable: false })).toBeUndefined();
      expect(cardsFor([{ device: 'auto', 'precision.policy': 'fp32' }], two)).toBe(2);
      expect(cardsFor([{ device: 'cuda:1', 'precision.policy': 'fp32' }], two)).toBe(1);
      expect(cardsFor([{ device: 'tfjs-wasm', 'precision.policy': 'fp32' }], two)).toBeUndefined();
    });

    it('writes down the card of a run', async () => {
      const { launch } = fakeLauncher(async (engine) => {
        engine.emit(INFO);
        engine.end('finished', 'done', 1);
      });
      const { sweep } = limited(null, 1, 'cuda:1');
      await queueOf(sweep.id, { cards: two, launch }).queue.run();
      expect(store.listRuns({ sweepId: sweep.id })[0].environment).toMatchObject({ card: 'cuda:1', executor: 'cuda' });
    });
  });

  it('is paused and has its places as the user left it (would catch a GPU that trains by itself after a restart)', async () => {
    limited(null, 3);
    const first = queueOf(undefined, { places: 1 }).queue;
    first.setConcurrency(2);
    first.pause();
    await first.close();
    const { queue } = queueOf(undefined, { places: 1 });
    queue.kick();
    expect(queue.state).toMatchObject({ paused: true, concurrency: 2, running: [], trouble: null });
    queue.resume();
    expect(training()).toHaveLength(2);
    // A command has its own wishes, and leaves those of the app alone.
    await queue.close('kill');
    const { sweep } = limited(null, 1);
    expect(queueOf(sweep.id, { places: 1 }).queue.state).toMatchObject({ paused: false, concurrency: 1 });
    expect(store.queueSwitches()).toEqual({ paused: false, places: 2 });
  });

  it('takes what was moved to the front next, and ends a pruned run for good', async () => {
    const { sweep, runs } = limited(1, 3);
    const { queue } = queueOf(undefined);
    queue.kick();
    queue.move([runs[2].id], runs[1].id);
    expect(queue.state.waiting).toEqual([runs[2].id, runs[1].id]);
    await queue.prune(runs[0].id, 'pruned: worse than half of the others at step 3');
    expect(store.getRun(runs[0].id)).toMatchObject({
      state: 'stopped',
      stopCause: 'pruned',
      endReason: expect.stringMatching(/^pruned: worse/u),
    });
    expect(training()).toEqual(['1 2']);
    await queue.prune(runs[1].id, 'pruned before it began');
    await queue.stopSweep(sweep.id);
    expect(store.getSweep(sweep.id)!.state).toBe('stopped');
    // Only what was stopped with the sweep goes on with it.
    expect(requeueSweep(store, sweep.id, ['stopped', 'failed'])).toBe(1);
    expect(queue.state.waiting).toEqual([runs[2].id]);
    expect(requeueAlone(store, store.getRun(runs[0].id)!)).toMatch(/ended by the search method/u);
    await queue.close('kill');
  });

  it('resumes one run of a paused sweep without the others (would catch a run that waits for ever, or a sweep that starts)', async () => {
    const { sweep, runs } = limited(null, 3);
    store.setRunStates([runs[0].id], 'stopped', { cause: 'interrupted' }, { id: sweep.id, state: 'paused' });
    const { queue } = queueOf(undefined);
    queue.kick();
    expect(queue.state).toMatchObject({ running: [], waiting: [] });
    expect(requeueAlone(store, store.getRun(runs[0].id)!)).toBeUndefined();
    queue.added();
    expect(training()).toEqual(['null 0']);
    expect(store.getSweep(sweep.id)!.counts).toMatchObject({ running: 1, queued: 0, stopped: 2 });
    expect(requeueSweep(store, sweep.id, ['stopped'])).toBe(2);
    await queue.close('kill');
  });

  it('does not take up, resume or repeat runs of other origins', () => {
    const foreign = store.createRun({ ...IMPORTED, state: 'stopped' });
    expect(requeueRun(store, foreign)).toMatch(/not trained by Sweeplab/u);
    const { sweep } = store.createSweep({ name: 'mixed', spec: {} }, [{ ...IMPORTED, state: 'failed' }]);
    expect(requeueSweep(store, sweep.id, ['stopped', 'failed'])).toBe(0);
    expect(store.countRuns({ state: 'queued' })).toBe(0);
  });

  it('ends the sweep of a run that was removed, and one whose host was killed before it could (would catch a sweep that runs for ever)', () => {
    const { sweep, runs } = limited(null, 1);
    store.updateSweep(sweep.id, { state: 'running' });
    store.deleteRuns([runs[0].id]);
    const seen: string[] = [];
    queueOf(undefined, { onSweep: (id) => seen.push(id) }).queue.kick();
    expect([store.getSweep(sweep.id)!.state, seen]).toEqual(['finished', [sweep.id]]);
  });
});

const IMPORTED = { name: 'imported', config: {}, seed: 0, settingKey: 'i', origin: 'import' } as const;

describe('a database that takes nothing', () => {
  /** To the last byte, so that not even the end of a run can be written. */
  function fillDisk(): void {
    store.limitSize(1);
    try {
      for (;;) {
        store.appendEvent({ runId: null, kind: 'log', message: 'x'.repeat(500) }).catch(() => undefined);
        store.flush();
      }
    } catch {
      // Full.
    }
  }

  it('is said, waited for and tried again by itself (would catch a run that is lost, or a queue that stands still for ever)', async () => {
    const { sweep, runs } = makeSweep(['wait', 'ok']);
    const troubles: (string | null)[] = [];
    const { queue } = queueOf(undefined, { places: 1, onTrouble: (error) => troubles.push(error?.code ?? null) });
    queue.kick();
    while (store.getRun(runs[0].id)!.steps < 5) await delay(2);
    fillDisk();
    // Whoever stops it gets an answer, although the end cannot be written.
    await expect(queue.stopRun(runs[0].id)).rejects.toMatchObject({ code: 'full' });
    expect(queue.state).toMatchObject({ running: [runs[0].id], trouble: expect.stringContaining('no space left') });
    expect(store.getRun(runs[0].id)!.state).toBe('running');
    store.limitSize(Infinity);
    while (store.getSweep(sweep.id)!.state !== 'finished') await delay(20);
    expect(states(sweep.id)).toEqual(['stopped', 'finished']);
    expect(store.getRun(runs[0].id)).toMatchObject({ stopCause: 'cancelled', steps: 5 });
    expect([queue.state.trouble, troubles]).toEqual([null, ['full', null]]);
  });

  it('does not keep a command from ending at the second Ctrl-C, which says what was not written (would catch a train that hangs)', async () => {
    const { sweep, runs } = makeSweep(['wait']);
    const { queue, engines } = queueOf(sweep.id);
    const done = queue.run();
    while (store.getRun(runs[0].id)!.steps < 5) await delay(2);
    fillDisk();
    engines[0].points('train/other', 1, 40, () => 1);
    queue.stop('urgent');
    await delay(20);
    queue.stop('kill');
    await expect(done).rejects.toMatchObject({
      code: 'full',
      message: expect.stringMatching(
        /not written: 4\d points and log lines, and the end of 1 run, which goes on from the last checkpoint/u,
      ),
    });
    const { path } = store;
    expect(() => store.close()).toThrow('no space left');
    store = openStore(path);
    expect(store.stopOrphans().map(({ id }) => id)).toEqual([runs[0].id]);
    expect(store.readAll(runs[0].id, 'train/loss').step).toHaveLength(5);
  });

  it('keeps a stopped command waiting for seconds, not for ever, and says so once (would catch a SIGTERM that ends nothing)', async () => {
    const { sweep, runs } = makeSweep(['wait']);
    const waits: [string, number][] = [];
    const { queue, engines } = queueOf(sweep.id, { grace: 150, onGrace: ({ code }, ms) => waits.push([code, ms]) });
    const done = queue.run();
    while (store.getRun(runs[0].id)!.steps < 5) await delay(2);
    fillDisk();
    engines[0].points('train/other', 1, 40, () => 1);
    queue.stop('urgent');
    await expect(done).rejects.toMatchObject({ code: 'full', message: expect.stringContaining('not written: 4') });
    expect(waits).toEqual([['full', 150]]);
    const { path } = store;
    expect(() => store.close()).toThrow('no space left');
    // The next who looks hears what is true, a reader and then the writer: the user had stopped it, and nothing takes it up unasked.
    const end = {
      state: 'stopped',
      stopCause: 'interrupted',
      endReason: expect.stringMatching(/^interrupted by the user; its end could not be recorded: .*no space left/u),
      endedAt: expect.any(Number),
    };
    const reader = openStore(path, { readOnly: true });
    expect(reader.getRun(runs[0].id)).toMatchObject(end);
    reader.close();
    store = openStore(path);
    expect(store.stopOrphans()).toEqual([expect.objectContaining(end)]);
    expect(store.readAll(runs[0].id, 'train/loss').step).toHaveLength(5);
  });

  it('that has space again within the wait records the end (would catch an end that is given up too early)', async () => {
    const { sweep, runs } = makeSweep(['wait']);
    const { queue } = queueOf(sweep.id, { grace: 20_000, onGrace: () => store.limitSize(Infinity) });
    const done = queue.run();
    while (store.getRun(runs[0].id)!.steps < 5) await delay(2);
    fillDisk();
    queue.stop('urgent');
    await done;
    expect(store.getRun(runs[0].id)).toMatchObject({ state: 'stopped', stopCause: 'interrupted' });
  });

  it('keeps what engines say in order until it takes it (would catch a run that fails because its checkpoint cannot be recorded)', async () => {
    const { sweep, runs } = makeSweep(['held']);
    const go = Promise.withResolvers<void>();
    const { launch } = fakeLauncher(async (engine) => {
      engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
      engine.points('train/loss', 1, 5, loss(0));
      await engine.acknowledged();
      fillDisk();
      engine.points('train/loss', 6, 8, loss(0));
      engine.emit({ type: 'checkpoint', kind: 'last', step: 8, path: '/8', loss: 2 });
      engine.points('train/loss', 9, STEPS, loss(0));
      go.resolve();
      await engine.acknowledged();
      engine.end('finished', 'done', STEPS);
    });
    const done = queueOf(sweep.id, { launch }).queue.run();
    await go.promise;
    await delay(50);
    expect(store.getRun(runs[0].id)).toMatchObject({ state: 'running', checkpoint: null });
    store.limitSize(Infinity);
    await done;
    expect(store.getRun(runs[0].id)).toMatchObject({ state: 'finished', checkpoint: '/8' });
    expect([...store.readAll(runs[0].id, 'train/loss').step]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('lets a run fail whose engine cannot be noted (would catch an engine without a host that nobody finds)', async () => {
    const { sweep, runs } = makeSweep(['ok']);
    await queueOf(sweep.id, { launch: () => assertNever('ENOSPC: no space left on device') }).queue.run();
    expect(store.getRun(runs[0].id)).toMatchObject({
      state: 'failed',
      endReason: expect.stringMatching(/cannot be started: ENOSPC/u),
    });
  });
});

function assertNever(message: string): never {
  throw new Error(message);
}

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
    expect(defaultPlaces(runs, cores, threads)).toBe(expected);
  });
});
