import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildEmulator, whyNoEmulator } from '../engine/cuda/emulator/build.ts';
import type { GpuReport } from '../gpu/report.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const why = whyNoEmulator();
const folder = mkdtempSync(join(tmpdir(), 'sweeplab-gpu-pack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Would catch a package, a file or a variable that a session needs and does not bring along.
test.skipIf(why !== undefined)(
  `a packed session runs on a bare machine${why ? ` (SKIPPED: ${why})` : ''}`,
  async () => {
    const { driver, kernels } = await buildEmulator();
    const pack = join(folder, 'pack');
    const packed = spawnSync(process.execPath, [join(ROOT, 'test/gpu/pack.ts'), pack], { encoding: 'utf8' });
    expect(packed.status, packed.stderr).toBe(0);
    const home = join(folder, 'home');
    mkdirSync(home);
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: home,
      SWEEPLAB_CUDA_LIBRARIES: dirname(driver),
      EMU_KERNELS: kernels,
      EMU_PACE: '1000',
    };
    const out = join(folder, 'out');
    const stages = ['machine', 'modules', 'ceilings', 'operations', 'training', 'memory', 'steps'];
    // Into the folder of whoever calls: the tree that runs is removed.
    mkdirSync(out);
    const options = ['--quick', '--budget', '3000', '--only', stages.join(',')];
    const ran = spawnSync('bash', [join(pack, 'run.sh'), ...options], {
      encoding: 'utf8',
      cwd: out,
      env: { ...env, SWEEPLAB_TREE: ROOT },
    });
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const report = JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8')) as GpuReport;
    expect(report.stages.map(({ name, ok }) => [name, ok])).toEqual(stages.map((name) => [name, true]));
    const fp32 = report.stages.find(({ name }) => name === 'training')!.rows.find(({ policy }) => policy === 'fp32')!;
    expect(fp32.compared).toBe(2);
    expect(report.commit).toMatch(/^[0-9a-f]{40}$/);
  },
);
