import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildEmulator, whyNoEmulator } from '../engine/cuda/emulator/build.ts';
import { CASES } from '../engine/graph/cases/index.ts';
import { compareReports } from './report.ts';
import type { GpuReport, Row } from './report.ts';
import { doEach } from './stage.ts';

const why = whyNoEmulator();
const out = mkdtempSync(join(tmpdir(), 'sweeplab-gpu-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

function session(env: Readonly<Record<string, string>>, ...options: string[]) {
  const script = join(import.meta.dirname, 'session.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, '--out', out, '--budget', '3000', ...options];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
}

describe('a session on a GPU', () => {
  test('without a card says that nothing was checked, and ends well', () => {
    const { status, stdout } = session({ SWEEPLAB_CUDA_LIBRARIES: '', LD_LIBRARY_PATH: '' }, '--only', 'none');
    // Where there is a driver, no stage of this name runs.
    expect(stdout === '' || stdout.startsWith('SKIPPED: no NVIDIA driver was found')).toBe(true);
    expect(status).toBe(0);
  });

  test.skipIf(why !== undefined)(
    `runs its stages on the emulated device${why ? ` (SKIPPED: ${why})` : ''}`,
    async () => {
      const { driver, kernels } = await buildEmulator();
      const env = { SWEEPLAB_CUDA_LIBRARIES: dirname(driver), EMU_KERNELS: kernels };
      const { status, stdout } = session(env, '--quick', '--only', 'machine,modules,ceilings,memory,steps');
      expect(status, stdout).toBe(0);
      const report = JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8')) as GpuReport;
      expect(report.device).toMatchObject({ name: 'Emulated GPU', capability: 90 });
      expect(report.stages.map(({ name, ok }) => [name, ok])).toEqual([
        ['machine', true],
        ['modules', true],
        ['ceilings', true],
        ['memory', true],
        ['steps', true],
      ]);
      const failed = session({ ...env, EMU_FAIL: 'cuModuleLoadData:1:700' }, '--quick', '--only', 'machine,modules');
      expect(failed.status).toBe(1);
      expect(failed.stdout).toMatch(/machine +ok[^]*modules +FAILED[^]*CUDA error 700/);
      const none = session({ ...env, EMU_DEVICES: '0' });
      expect([none.status, none.stdout]).toEqual([0, expect.stringMatching(/^SKIPPED: the driver sees no card/u)]);
    },
  );

  // Would catch a first broken kernel that hides what all the others do, and a file that is left half written.
  test.skipIf(why !== undefined)(
    `goes on behind an operation that breaks the card${why ? ` (SKIPPED: ${why})` : ''}`,
    async () => {
      const { driver, kernels } = await buildEmulator();
      const env = { SWEEPLAB_CUDA_LIBRARIES: dirname(driver), EMU_KERNELS: kernels, EMU_PACE: '1000' };
      const { status, stdout } = session(
        { ...env, EMU_FAIL: 'cuLaunchKernel:9:700' },
        '--quick',
        '--only',
        'operations',
      );
      expect(status, stdout).toBe(1);
      const report = JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8')) as GpuReport;
      const { rows } = report.stages[0];
      // Every process breaks at its ninth launch: what follows is done by the next.
      expect(rows.filter(({ error }) => error !== undefined).length).toBeGreaterThan(1);
      const tried = [...new Set(rows.map((row) => row['case']))];
      expect(tried.length).toBe(Math.ceil(CASES.length / 40));
      expect(readdirSync(out)).toEqual(['gpu.json']);
    },
  );

  test('one thing that fails costs no other, and all that failed are named', async () => {
    const rows: Row[] = [];
    const tried: string[] = [];
    const all = doEach(
      ['a', 'b', 'c'],
      (row) => rows.push(row),
      async (name) => {
        tried.push(name);
        if (name !== 'b') throw new Error(`no ${name}`);
      },
    );
    await expect(all).rejects.toThrow('a: no a; c: no c');
    expect(tried).toEqual(['a', 'b', 'c']);
    expect(rows).toEqual([
      { what: 'a', error: 'no a' },
      { what: 'c', error: 'no c' },
    ]);
  });

  test('says what got worse since an earlier one', () => {
    const report = (ms: number, ok: boolean): GpuReport => ({
      schema: 1,
      device: null,
      commit: '',
      stages: [
        { name: 'steps', ok: true, seconds: 1, rows: [{ model: '124M', ms, tokens_per_s: 1000 / ms }] },
        { name: 'memory', ok, seconds: 1, error: ok ? undefined : 'refused', rows: [] },
      ],
    });
    expect(compareReports(report(50, true), report(52, true))).toEqual([]);
    expect(compareReports(report(50, true), report(60, false)).map(({ stage }) => stage)).toEqual([
      'steps',
      'steps',
      'memory',
    ]);
  });
});
