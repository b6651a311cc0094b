import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineLauncher } from '../../main/host/engineProcess.ts';
import { openLab } from '../../main/host/lab.ts';
import { processBegan } from '../../main/files/processBegan.ts';
import { endLeftovers } from '../../main/host/leftovers.ts';
import { labPaths } from '../../main/host/paths.ts';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';

const ENTRY = fileURLToPath(new URL('fixtures/engine.ts', import.meta.url));
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-host-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = () => {
  const paths = labPaths(home);
  const workshop = {
    paths,
    registry: builtInRegistry(),
    metrics: metricCatalog(),
    plugins: [],
    codeVersion: 'test',
  };
  return openLab(workshop, { write: true, launch: engineLauncher({ notes: paths.engines, entry: ENTRY }) });
};
const run = (fake: string) => ({ name: fake, config: { fake }, seed: 1, settingKey: fake });
const alive = (pid: number): boolean => processBegan(pid) !== undefined;

describe('engine processes', () => {
  it('carry typed arrays, end, and leave no note (would catch points that arrive as objects)', async () => {
    using lab = await open();
    const { id } = lab.store.createRun(run('ok'));
    await lab.queue({ places: 1, scope: { runId: id } }).run();
    expect(lab.store.getRun(id)).toMatchObject({ state: 'finished', steps: 2000 });
    expect(lab.store.readAll(id, 'train/loss').value.at(-1)).toBe(2000);
    expect(readdirSync(lab.paths.engines)).toEqual([]);
  });

  it.each([
    ['crash', /^engine crashed: SIGKILL: killed from outside/u],
    ['throw', /^engine crashed: exit code 1: RangeError: too large$/u],
  ])('that end without a word (%s) give the reason', async (fake, reason) => {
    using lab = await open();
    const { id } = lab.store.createRun(run(fake));
    await lab.queue({ places: 1, scope: { runId: id } }).run();
    expect(lab.store.getRun(id)!.state).toBe('failed');
    expect(lab.store.getRun(id)!.endReason).toMatch(reason);
  });

  it('that outlive their host are ended before their run is queued again (would catch a run trained twice at once)', async () => {
    const script = `
      import { openLab } from ${JSON.stringify(fileURLToPath(new URL('../../main/host/lab.ts', import.meta.url)))};
      import { builtInRegistry } from ${JSON.stringify(fileURLToPath(new URL('../../main/lab/settings/index.ts', import.meta.url)))};
      import { engineLauncher } from ${JSON.stringify(fileURLToPath(new URL('../../main/host/engineProcess.ts', import.meta.url)))};
      import { labPaths } from ${JSON.stringify(fileURLToPath(new URL('../../main/host/paths.ts', import.meta.url)))};
      const paths = labPaths(${JSON.stringify(home)});
      const lab = await openLab({ paths, registry: builtInRegistry(), plugins: [], codeVersion: '' }, {
        write: true, launch: engineLauncher({ notes: paths.engines, entry: ${JSON.stringify(ENTRY)} }) });
      const { id } = lab.store.createRun(${JSON.stringify(run('deaf'))});
      void lab.queue({ places: 1, scope: { runId: id }, onEvent: (event) => {
        if (event.type === 'message' && event.message.type === 'begin') console.log('begun');
      } }).run();
    `;
    const host = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => host.stdout.once('data', resolve));
    const [note] = readdirSync(labPaths(home).engines);
    const pid = Number(note.replace('.json', ''));
    host.kill('SIGKILL');
    await new Promise((resolve) => host.once('exit', resolve));
    expect(alive(pid)).toBe(true);
    using lab = await open();
    expect(alive(pid)).toBe(false);
    expect(lab.store.listRuns()).toMatchObject([{ state: 'stopped', stopCause: 'killed' }]);
    expect(readdirSync(labPaths(home).engines)).toEqual([]);
  });

  it('are never mistaken for another process with the same id (would catch a stranger killed)', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      const folder = join(home, 'engines');
      mkdirSync(folder);
      writeFileSync(
        join(folder, `${stranger.pid}.json`),
        JSON.stringify({ pid: stranger.pid, runId: 'x', began: 'another time' }),
      );
      writeFileSync(join(folder, 'half.json'), '{"pid": 1');
      expect(await endLeftovers(folder)).toEqual([]);
      expect(alive(stranger.pid!)).toBe(true);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('that cannot be started at all fail the run with the reason', async () => {
    using lab = await open();
    const { id } = lab.store.createRun(run('ok'));
    const launch = engineLauncher({ notes: lab.paths.engines, entry: join(home, 'missing.ts') });
    lab.close();
    using again = await openLab({ ...lab }, { write: true, launch });
    await again.queue({ places: 1, scope: { runId: id } }).run();
    expect(again.store.getRun(id)).toMatchObject({ state: 'failed', endReason: expect.stringContaining('missing.ts') });
    expect(existsSync(again.paths.database)).toBe(true);
  });
});
