import { pbkdf2 } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchAccess, writeAccess } from '../../main/endpoint/wandb/access.ts';
import { WandbDoor } from '../../main/host/services/wandbDoor.ts';
import { labPaths } from '../../main/host/paths.ts';
import { openStore } from '../../main/store/index.ts';
import { inside, jsonInside } from './inside.ts';

interface State {
  readonly on: boolean;
  readonly url: string;
  readonly key: string;
}

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'sweeplab-wandb-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('switches the door for scripts and prints what they need, with a key for its owner alone (would catch variables that the client does not take)', async () => {
  const first = await inside(home, ['wandb', 'env']);
  expect(first.stderr + first.stdout).toContain('sweeplab wandb on');
  const on = await jsonInside<State>(home, ['wandb', 'on']);
  expect(on).toMatchObject({ on: true, url: 'http://127.0.0.1:4321', key: expect.stringMatching(/^[0-9a-f]{40}$/u) });
  const env = (await inside(home, ['wandb', 'env'])).stdout;
  expect(env.trim().split('\n').slice(0, 2)).toEqual([
    `export WANDB_BASE_URL=${on.url}`,
    `export WANDB_API_KEY=${on.key}`,
  ]);
  if (process.platform !== 'win32') expect(statSync(labPaths(home).wandb).mode & 0o77).toBe(0);
  expect(await jsonInside<State>(home, ['wandb', 'off'])).toEqual({ ...on, on: false });
  const next = await jsonInside<State>(home, ['wandb', 'revoke']);
  expect(next.key).not.toBe(on.key);
  expect((await inside(home, ['wandb', 'env'])).stdout).toContain(next.key);
});

it('reaches a lab that runs: open, another key, shut (would catch a revoked key that still opens)', async () => {
  const paths = labPaths(home);
  const store = openStore(paths.database);
  const ignore = (): void => undefined;
  const lab = { store, paths };
  const door = new WandbDoor({ lab, onPoints: ignore, onChanged: ignore, onEnded: ignore, onState: ignore });
  try {
    const on = await jsonInside<State>(home, ['wandb', 'on']);
    await vi.waitFor(() => expect(door.state.url).not.toBeNull(), 10_000);
    const ask = async (key: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`api:${key}`).toString('base64')}`;
      const body = JSON.stringify({ query: 'query Viewer { x }', variables: {} });
      return (await fetch(`${door.state.url}/graphql`, { method: 'POST', headers: { authorization }, body })).status;
    };
    expect(await ask(on.key)).toBe(200);
    const { key } = await jsonInside<State>(home, ['wandb', 'revoke']);
    expect([await ask(on.key), await ask(key)]).toEqual([401, 200]);
    await inside(home, ['wandb', 'off']);
    await vi.waitFor(() => expect(door.state.url).toBeNull(), 10_000);
  } finally {
    await door.close();
    store.close();
  }
});

it('is heard of when it changes as soon as it is watched (would catch a door that is never opened)', async () => {
  const { wandb } = labPaths(home);
  const changed = vi.fn();
  // Whatever looks at files behind the scenes waits for these.
  const busy = Array.from({ length: 16 }, () => promisify(pbkdf2)('x', 'y', 50_000, 64, 'sha512'));
  const end = watchAccess(wandb, changed);
  writeAccess(wandb, { on: true });
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), 10_000);
  end();
  await Promise.all(busy);
});
