/** Kills aimed at saves and removals, and checkpoints that are damaged: each must end in what was there before, or in words. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTemporary } from '../../main/files/atomic.ts';
import { readCheckpoint } from '../../main/engine/train/checkpoint.ts';
import { loadWorkshop, openLab } from '../../main/host/lab.ts';
import { openStore } from '../../main/store/index.ts';
import { results } from '../cli/killedSweep.ts';
import { start, sweeplab, tiny } from '../cli/cli.ts';
import type { Running } from '../cli/cli.ts';
import { random, SEED } from '../oracles/random.ts';
import { shareOf } from './share.ts';

const KILLS = shareOf(60, 4);
const DAMAGES = shareOf(20, 1);
const FILES = shareOf(20_000, 2000);
/** A run that says nothing for so long hangs. */
const SILENT_MS = 300_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-checkpoints-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** What lies in the folders of checkpoints, whole or begun. */
function saved(home: string): string[] {
  const root = join(home, 'checkpoints');
  return (existsSync(root) ? readdirSync(root) : []).flatMap((run) =>
    readdirSync(join(root, run)).map((name) => join(root, run, name)),
  );
}

const whole = (home: string): string[] => saved(home).filter((path) => /(last|best)-\d+-\d+$/u.test(path));
const begun = (home: string): string[] => saved(home).filter(isTemporary);

/** The newest step that is saved. */
const newest = (home: string): number =>
  Math.max(0, ...whole(home).map((path) => Number(/-(\d+)-\d+$/u.exec(path)![1])));

/** @throws when it ends before */
async function until(running: Running, reached: () => boolean, pause = 2): Promise<void> {
  while (!reached()) {
    if (running.child.exitCode !== null || running.child.signalCode !== null) {
      const { code, stdout, stderr } = await running.done;
      throw new Error(`ended with ${code} before:\n${stdout}\n${stderr}`);
    }
    await delay(pause);
  }
}

/** The id of the only run. */
function runOf(home: string): string {
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    return store.listRuns({ deleted: 'any' })[0]!.id;
  } finally {
    store.close();
  }
}

/** The processes of engines that are noted. */
const engines = (home: string): readonly number[] => {
  const notes = join(home, 'engines');
  return (existsSync(notes) ? readdirSync(notes) : []).map((name) => Number.parseInt(name, 10));
};

it(`${KILLS} kills aimed at saves, of host and engine, lose no whole checkpoint (seed ${SEED})`, async () => {
  // A model whose save takes many milliseconds, at every step.
  const flags = tiny({
    // On a busy machine many steps pass between two looks.
    'stop.steps': String(40 * KILLS),
    'log.checkpoint_steps': '1',
    'model.width': '128',
    'model.depth': '4',
    'model.dropout': '0.1',
  });
  const undisturbed = join(folder, 'undisturbed');
  expect(await sweeplab(undisturbed, ['train', ...flags])).toMatchObject({ code: 0 });
  const home = join(folder, 'killed');
  const pick = random();
  const counts = { host: 0, engine: 0, midway: 0 };
  for (let round = 0; round < KILLS; round++) {
    const left = engines(home);
    const own = () => engines(home).filter((pid) => !left.includes(pid));
    const running = start(home, round === 0 ? ['train', ...flags] : ['train', '--resume', runOf(home)]);
    const seen = newest(home);
    // An engine that outlived its host may save until this host ends it.
    await until(running, () => own().length > 0 && newest(home) > seen && begun(home).length > 0, 0);
    if (pick() < 0.5) await delay(pick.integer(0, 12));
    const host = pick() < 0.5;
    if (host) running.child.kill('SIGKILL');
    else own().forEach((pid) => process.kill(pid, 'SIGKILL'));
    counts[host ? 'host' : 'engine']++;
    await running.done;
    if (begun(home).length > 0) counts.midway++;
    // An engine that outlived its host saves and ends by itself.
    await expect
      .poll(
        async () => {
          const paths = whole(home);
          await Promise.all(paths.map((path) => readCheckpoint(path)));
          return paths.length;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
  }
  console.log(
    `${counts.host} kills of the host, ${counts.engine} of the engine, ${counts.midway} in the middle of a save`,
  );
  expect(await sweeplab(home, ['train', '--resume', runOf(home)])).toMatchObject({ code: 0 });
  expect(begun(home)).toEqual([]);
  expect(Object.values(results(home))).toEqual(Object.values(results(undisturbed)));
});

/** Ways in which a file is damaged. */
const DAMAGE: Readonly<Record<string, (path: string, at: number) => void>> = {
  cut: (path, at) => truncateSync(path, Math.floor(at * statSync(path).size)),
  empty: (path) => truncateSync(path, 0),
  'one bit': (path, at) => {
    const bytes = readFileSync(path);
    const place = Math.floor(at * bytes.length);
    bytes[place]! ^= 1 << (Math.floor(at * 8e6) % 8);
    writeFileSync(path, bytes);
  },
  zeros: (path) => writeFileSync(path, Buffer.alloc(statSync(path).size)),
  longer: (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('more')])),
  missing: (path) => rmSync(path),
  folder: (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};

describe(`resuming from a checkpoint that is damaged (seed ${SEED})`, () => {
  it(`${DAMAGES} × ${Object.keys(DAMAGE).length} damages are told, and the run ends as it should`, async () => {
    const flags = tiny({ 'stop.steps': '400', 'log.checkpoint_steps': '5' });
    expect(await sweeplab(join(folder, 'undisturbed'), ['train', ...flags])).toMatchObject({ code: 0 });
    const undisturbed = results(join(folder, 'undisturbed'));
    const stopped = join(folder, 'stopped');
    const running = start(stopped, ['train', ...flags]);
    await until(running, () => newest(stopped) >= 10);
    running.child.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: 130 });
    const pick = random();
    const endings = new Map<string, number>();
    for (let round = 0; round < DAMAGES; round++)
      for (const [name, damage] of Object.entries(DAMAGE)) {
        const home = join(folder, 'home');
        rmSync(home, { recursive: true, force: true });
        cpSync(stopped, home, { recursive: true });
        const files = whole(home)
          .filter((path) => path.includes('last-'))
          .flatMap((path) => readdirSync(path).map((file) => join(path, file)));
        const file = pick.pick(files);
        damage(file, pick());
        const where = `round ${round}: ${name} ${file}`;
        const again = start(home, ['train', '--resume', runOf(home)]);
        // As long as it says something it goes on, however busy the machine is.
        const slow = setTimeout(() => again.child.kill('SIGKILL'), SILENT_MS);
        for (const stream of [again.child.stdout, again.child.stderr]) stream?.on('data', () => slow.refresh());
        const { code, signal, stdout, stderr } = await again.done.finally(() => clearTimeout(slow));
        expect([code, signal], `${where}\n${stdout}\n${stderr}`).toEqual([0, null]);
        expect(stdout + stderr, where).toMatch(/cannot be used.*\n[\s\S]*begins again/u);
        expect(results(home), where).toEqual(undisturbed);
        endings.set(name, (endings.get(name) ?? 0) + 1);
      }
    console.log(Object.fromEntries(endings));
  });
});

it(`a kill in the middle of removing a run of ${FILES} files for good leaves nothing behind for ever`, async () => {
  const home = join(folder, 'home');
  expect(await sweeplab(home, ['train', ...tiny({ 'stop.steps': '10' })])).toMatchObject({ code: 0 });
  const id = runOf(home);
  // Many files, so that the kill falls into their removal.
  const own = join(home, 'checkpoints', id);
  for (let i = 0; i < FILES; i++) writeFileSync(join(own, `file-${i}`), '');
  const running = start(home, ['runs', 'rm', '--purge', id]);
  await until(running, () => !existsSync(own), 0);
  running.child.kill('SIGKILL');
  await running.done;
  const left = readdirSync(join(home, 'checkpoints'));
  using lab = await openLab(await loadWorkshop({ home }), { write: true });
  console.log(`${left.length === 0 ? 'nothing' : 'a folder'} was left by the kill`);
  for (const name of readdirSync(lab.paths.checkpoints)) expect(lab.store.getRun(name), name).toBeDefined();
});
