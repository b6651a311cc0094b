/** How training ends when the machine, the disk or somebody else ends it: never silently, never for ever. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { removeHome, start, temporaryHome, tiny } from './cli.ts';
import type { Running } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const folder = temporaryHome();
let training: Running | undefined;
afterEach(async () => {
  training?.child.kill('SIGKILL');
  await training?.done;
});
afterAll(() => removeHome(folder));

/** Long enough that every test ends it. */
const LONG = tiny({ 'stop.steps': '5000000', 'eval.every_steps': '100', 'schedule.kind': 'constant' });

async function trainingIn(home: string, name: string): Promise<Running> {
  training = start(home, ['train', ...LONG, '--name', name]);
  await training.until(/step [1-9]|val\/loss/u);
  return training;
}

describe('a process that is killed', () => {
  it('is not shown as running at the next look, and its run goes on when asked (would catch states of the dead)', async () => {
    const home = join(folder, 'killed');
    const { child, done } = await trainingIn(home, 'gone');
    const alive = await jsonInside<{ state: string }[]>(home, ['runs', 'ls']);
    expect(alive).toMatchObject([{ name: 'gone', state: 'running' }]);
    child.kill('SIGKILL');
    await done;
    const [run] = await jsonInside<{ id: string; state: string; reason: string }[]>(home, ['runs', 'ls']);
    expect(run).toMatchObject({ state: 'stopped', reason: 'interrupted: its process is gone' });
    expect(await jsonInside(home, ['runs', 'ls', '--state', 'running'])).toEqual([]);
    expect(await jsonInside(home, ['runs', 'ls', '--state', 'stopped'])).toHaveLength(1);
    const { stdout } = await inside(home, ['runs', 'show', 'gone']);
    expect(stdout).toContain(`interrupted: its process is gone; resume with: sweeplab train --resume ${run!.id}`);
    // Whoever writes next, the run stays as it is until somebody resumes it.
    await inside(home, ['runs', 'tag', 'gone', '--add', 'seen']);
    const [after] = await jsonInside<{ checkpoint: string | null }[]>(home, ['runs', 'ls']);
    // The engine may have saved once more than it could tell, or not yet at all.
    expect(after).toEqual({ ...run, tags: ['seen'], checkpoint: after!.checkpoint });
    expect(await jsonInside(home, ['queue', 'ls'])).toEqual({ running: [], waiting: [], paused: [] });
    training = start(home, ['train', '--resume', run!.id]);
    await training.until(/step [1-9]|val\/loss/u);
    expect(await jsonInside(home, ['runs', 'ls'])).toMatchObject([{ state: 'running' }]);
  });
});

describe('a data folder', () => {
  it.each([
    ['deleted', (home: string) => rmSync(home, { recursive: true, force: true, maxRetries: 20 })],
    ['moved away', (home: string) => renameSync(home, `${home}-elsewhere`)],
    [
      'replaced by another one',
      (home: string) => {
        renameSync(home, `${home}-elsewhere`);
        mkdirSync(home);
        writeFileSync(join(home, 'runs.sqlite'), '');
      },
    ],
  ])(
    'that is %s while a run trains ends it, in words and not as a success (would catch training into nothing)',
    async (what, change) => {
      const home = join(folder, what.replaceAll(' ', '-'));
      const { done } = await trainingIn(home, 'lost');
      change(home);
      // Where it went on training, this would wait until the test is given up.
      const { code, stderr } = await done;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /the run database .* (was deleted or moved away|was replaced by another file) while it was in use/u,
      );
    },
  );
});

/** A file system of 30 MB, where this user may make one. */
function smallDisk(): string | undefined {
  const path = join(folder, 'disk');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    return undefined;
  }
}

const disk = smallDisk();
afterAll(() => {
  if (disk !== undefined) execFileSync('umount', ['-l', disk]);
});

describe.skipIf(disk === undefined)('on a full disk', () => {
  it('the second Ctrl-C ends, and says how much was not written (would catch a command that cannot be ended)', async () => {
    const home = join(disk!, 'home');
    const { child, done, until } = await trainingIn(home, 'full');
    const { bavail, bsize } = statfsSync(disk!);
    try {
      writeFileSync(join(disk!, 'filler'), Buffer.alloc(bavail * bsize + 1));
    } catch {
      // To the last byte.
    }
    await until(/no space left for the run database/u);
    child.kill('SIGINT');
    await until(/Press Ctrl-C again/u);
    // What follows within 400 ms of the first is taken for the same press.
    await delay(500);
    child.kill('SIGINT');
    const { code, signal, stderr } = await done;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(/not written: [1-9]\d* points and log lines, and the end of 1 run/u);
    rmSync(join(disk!, 'filler'));
    const [run] = await jsonInside<{ state: string }[]>(home, ['runs', 'ls']);
    expect(run).toMatchObject({ state: 'stopped' });
    expect(readFileSync(join(home, 'runs.sqlite')).length).toBeGreaterThan(0);
  });
});
