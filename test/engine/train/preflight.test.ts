import { open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTemporary } from '../../../main/files/atomic.ts';
import { wantsRehearsal } from '../../../main/engine/train/preflight.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { stopDuring, tensorsOf, train } from './laboratory.ts';

describe('a rehearsal', () => {
  test('counts for nothing: the run has the same bits (catches a step that is kept, a point, a checkpoint)', async () => {
    const config = testConfig({ device: 'cpu', 'stop.steps': 5 });
    const names: string[] = [];
    const rehearsed = await train({
      config: { ...config, preflight: 'on' },
      folder: await temporaryFolder(),
      onProgram: (name, _calls, outputs) => void (outputs === undefined && names.push(name)),
    });
    expect(rehearsed.host.of('log').map(({ text }) => text)).toContain(
      'preflight: two steps, an evaluation and a checkpoint went well',
    );
    expect(names.filter((name) => name === 'update').length).toBeGreaterThanOrEqual(7);
    const shares = rehearsed.host.of('phase').flatMap(({ name, fraction }) => (name === 'preflight' ? [fraction] : []));
    // Steps that come soon after each other are told together.
    expect([undefined, 0.25, 0.5, 0.75]).toEqual(expect.arrayContaining(shares));
    expect([shares[0], shares[1], shares.at(-1)]).toEqual([undefined, 0.25, 0.75]);
    expect(shares.slice(1)).toEqual([...new Set(shares.slice(1))].toSorted());
    const plain = await train({ config: { ...config, preflight: 'off' }, folder: await temporaryFolder() });
    expect(rehearsed.host.reproducible).toEqual(plain.host.reproducible);
    expect(await tensorsOf(rehearsed.host)).toEqual(await tensorsOf(plain.host));
    const saved = ({ host }: typeof plain) => host.of('checkpoint').map(({ kind, step }) => [kind, step]);
    expect(saved(rehearsed)).toEqual(saved(plain));
  });

  test('ends the run with what would have ended it later, before its first step', async () => {
    const { end, host } = await train({
      config: testConfig({ device: 'cpu', preflight: 'on' }),
      folder: await temporaryFolder(),
      onProgram: (name, calls, outputs) => {
        if (name === 'evaluate' && outputs !== undefined && calls === 2) outputs.loss!.fill(Number.NaN);
      },
    });
    expect(end).toMatchObject({ state: 'failed', steps: 0 });
    expect(end.reason).toMatch(/^preflight: diverged: val\/loss is NaN/u);
    expect(host.of('begin')).toEqual([]);
  });

  test('writes its checkpoint where the run will, and leaves nothing (would catch a full disk found at the first checkpoint)', async () => {
    const folder = await temporaryFolder();
    const checkpoints = join(folder, 'checkpoints');
    const config = testConfig({ device: 'cpu', 'stop.steps': 3, preflight: 'on' });
    const paths: string[] = [];
    const written = await train({
      config,
      folder,
      files: { open: (path, flags) => (paths.push(relative(checkpoints, path)), open(path, flags)) },
    });
    expect(written.end.state).toBe('finished');
    expect(paths[0]).toMatch(/^preflight\.tmp-/u);
    expect(paths.filter((path) => path.startsWith('..'))).toEqual([]);
    expect((await readdir(checkpoints)).filter(isTemporary)).toEqual([]);

    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    const { end, host } = await train({ config, folder, files: { open: () => Promise.reject(full) } });
    expect(end).toMatchObject({ state: 'failed', steps: 0 });
    expect(end.reason).toMatch(/^preflight: a checkpoint cannot be written: The disk is full: .*preflight/u);
    expect(host.of('begin')).toEqual([]);
    expect((await readdir(checkpoints)).filter(isTemporary)).toEqual([]);
  });

  test('is not made again where a run goes on, nor for a short one, and gives way to a stop', async () => {
    const config = testConfig({ device: 'cpu', 'stop.steps': 4, preflight: 'on' });
    const { host, end } = await train({ config, folder: await temporaryFolder(), onProgram: stopDuring(1) });
    expect(end).toMatchObject({ state: 'stopped', steps: 0 });
    expect(host.of('begin')).toEqual([]);
    const folder = await temporaryFolder();
    const auto = await train({ config: { ...config, preflight: 'auto' }, folder, onProgram: stopDuring(2) });
    expect(auto.end).toMatchObject({ state: 'stopped', steps: 2 });
    const rest = await train({ config, folder, host: auto.host, resume: true });
    expect(rest.end).toMatchObject({ state: 'finished', steps: 4 });
    expect(auto.host.of('phase').some(({ name }) => name === 'preflight')).toBe(false);
  });

  test('is made by itself from so many operations on, by what computes them', () => {
    const config = testConfig();
    expect(['cuda', 'cpu', 'tfjs-cpu'].map((executor) => wantsRehearsal(config, executor, 5e14))).toEqual([
      false,
      true,
      true,
    ]);
    expect(wantsRehearsal({ ...config, preflight: 'off' }, 'cpu', Infinity)).toBe(false);
    const timed = (seconds: number) => wantsRehearsal({ ...config, 'stop.seconds': seconds }, 'cpu', Infinity);
    expect([0, 60, 3600].map(timed)).toEqual([true, false, true]);
    expect(wantsRehearsal({ ...config, preflight: 'on' }, 'cpu', 0)).toBe(true);
  });
});
