/** A data folder that is taken away while runs train: SQLite writes on into the deleted file without an error. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalPlace } from '../../../main/lab/queue/places/local.ts';
import { RunQueue } from '../../../main/lab/queue/queue.ts';
import type { QueueOptions } from '../../../main/lab/queue/queue.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store, StoreError } from '../../../main/store/index.ts';
import { fakeLauncher } from './fakeEngine.ts';
import type { FakeEngine } from './fakeEngine.ts';

let folder: string;
let home: string;
let store: Store;
let engines: FakeEngine[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-gone-'));
  home = join(folder, 'home');
  store = openStore(join(home, 'runs.sqlite'));
  store.createRuns([0, 1, 2].map((seed) => ({ name: `run ${seed}`, config: {}, seed, settingKey: 'k' })));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Engines that train until they are told to stop. */
function queueOf(options: Omit<QueueOptions, 'store' | 'place'> = {}): RunQueue {
  const fake = fakeLauncher(async (engine) => {
    engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
    while (!engine.gone && !engine.stopping) await delay(5);
    engine.end('stopped', 'stopped', 0);
  });
  engines = fake.engines;
  const place = new LocalPlace({
    store,
    launch: fake.launch,
    folders: { checkpoints: folder, cache: folder },
    places: 2,
  });
  return new RunQueue({ store, place, ...options });
}

it.each([
  ['deleted', () => rmSync(home, { recursive: true }), /was deleted or moved away/u],
  [
    'replaced',
    () => {
      renameSync(home, join(folder, 'elsewhere'));
      mkdirSync(home);
      openStore(join(home, 'runs.sqlite')).close();
    },
    /was replaced by another file/u,
  ],
])('that was %s ends a command, as an error (would catch hours of training into nothing)', async (_, change, words) => {
  const [{ id }] = store.listRuns();
  const troubles: (StoreError | null)[] = [];
  const queue = queueOf({ scope: { runId: id }, onTrouble: (error) => troubles.push(error) });
  const ended = queue.run().then(
    () => undefined,
    (error: StoreError) => error,
  );
  await delay(50);
  change();
  // Where it went on, this would wait until the test is given up.
  const error = await ended;
  expect(error).toMatchObject({ code: 'gone', retryable: false, message: expect.stringMatching(words) });
  expect(troubles).toMatchObject([{ code: 'gone' }]);
  expect(engines.map(({ gone }) => gone)).toEqual([true]);
});

it('that comes back is used again by a host, which goes on with its runs (would catch a host that must be started anew)', async () => {
  const heard = Promise.withResolvers<StoreError>();
  const back = Promise.withResolvers<void>();
  const queue = queueOf({ onTrouble: (error) => (error === null ? back.resolve() : heard.resolve(error)) });
  queue.kick();
  expect(engines).toHaveLength(2);
  renameSync(home, join(folder, 'elsewhere'));
  expect(await heard.promise).toMatchObject({ code: 'gone' });
  while (queue.busy) await delay(5);
  expect(queue.state).toMatchObject({ trouble: expect.stringContaining('deleted or moved away'), running: [] });
  // In their order, as they were.
  expect(queue.state.waiting).toEqual(store.listRuns().map(({ id }) => id));
  renameSync(join(folder, 'elsewhere'), home);
  await back.promise;
  expect(queue.state).toMatchObject({
    trouble: null,
    running: store
      .listRuns()
      .slice(0, 2)
      .map(({ id }) => id),
  });
  await queue.close('kill');
});
