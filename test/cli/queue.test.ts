/** `sweeplab queue`: what waits is shown in its order, which people may change. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';
import { removeHome, sweeplab, temporaryHome } from './cli.ts';
import { inside } from './inside.ts';

const home = temporaryHome();
const ids: string[] = [];
let sweepId: string;

const writing = <T>(change: (store: Store) => T): T => {
  const store = openStore(join(home, 'runs.sqlite'));
  try {
    return change(store);
  } finally {
    store.close();
  }
};
const newRun = (seed: number) => ({ name: `run ${seed}`, config: {}, seed, settingKey: 'k' });

beforeAll(() => {
  writing((store) => {
    const { sweep, runs } = store.createSweep({ name: 'the sweep', spec: {}, concurrencyLimit: 2 }, [
      newRun(0),
      newRun(1),
      newRun(2),
    ]);
    sweepId = sweep.id;
    ids.push(...runs.map(({ id }) => id), store.createRun(newRun(3)).id);
    // What others trained is no business of the queue, even where it says that it waits.
    store.createRun({ ...newRun(4), name: 'imported', origin: 'import' });
  });
});
afterAll(() => removeHome(home));

const waiting = (): string[] => writing((store) => store.queuedIds());

describe('sweeplab queue', () => {
  it('lists what waits in its order, and nothing that others trained', async () => {
    const { stdout } = await sweeplab(home, ['queue', 'ls']);
    expect(stdout).toMatch(/1 +\S+ +run 0 +the sweep \(at most 2 at a time\)/u);
    expect(stdout).toMatch(/4 +\S+ +run 3 +·/u);
    expect(stdout).not.toContain('imported');
  });

  it('moves runs to the front, before another, and behind all, for good', async () => {
    const [a, b, c, d] = ids;
    expect((await inside(home, ['queue', 'move', d!, '--first'])).code).toBe(0);
    expect(waiting()).toEqual([d, a, b, c]);
    await inside(home, ['queue', 'move', c!, a!, '--before', b!]);
    expect(waiting()).toEqual([d, c, a, b]);
    const { stdout } = await inside(home, ['queue', 'move', 'run 3', '--last']);
    expect(stdout).toContain('turn 4 of 4');
    expect(waiting()).toEqual([c, a, b, d]);
  });

  it('sets the limit of a sweep, and takes it away', async () => {
    const limit = (): number | null => writing((store) => store.getSweep(sweepId)!.concurrencyLimit);
    await inside(home, ['queue', 'limit', 'latest', '1']);
    expect(limit()).toBe(1);
    await inside(home, ['queue', 'limit', sweepId, 'none']);
    expect(limit()).toBeNull();
  });

  it('refuses what cannot be, and changes nothing then', async () => {
    const before = waiting();
    const nowhere = await inside(home, ['queue', 'move', ids[0]!]);
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('--first, --last and --before') });
    const zero = await inside(home, ['queue', 'limit', 'latest', '0']);
    expect(zero).toMatchObject({ code: 2, stderr: expect.stringContaining('nearest: 1') });
    writing((store) => store.setRunState(ids[0]!, 'stopped', { cause: 'cancelled' }));
    const ended = await inside(home, ['queue', 'move', ids[0]!, ids[1]!, '--last']);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('is stopped') });
    expect(waiting()).toEqual(before.filter((id) => id !== ids[0]));
  });
});
