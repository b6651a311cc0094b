import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useDataFolder } from '../../main/engine/executors/dataFolder.ts';
import { machineFindings } from '../../main/host/checkup.ts';
import { cudaFindings } from '../../main/host/cudaCheckup.ts';
import { labPaths } from '../../main/host/paths.ts';
import { buildEmulator, whyNoEmulator } from '../engine/cuda/emulator/build.ts';
import { fakeSmi, RTX_4090 } from '../engine/cuda/fakeSmi.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-checkup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  // Nothing of this machine.
  for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX', 'CUDA_PATH', 'CUDA_HOME', 'LD_LIBRARY_PATH']) vi.stubEnv(name, '');
  vi.stubEnv('PATH', folder);
  useDataFolder(folder);
});
afterEach(() => vi.unstubAllEnvs());

const findings = async () => new Map((await cudaFindings()).map((each) => [each.name, each]));

describe.skipIf(process.platform !== 'linux')('what doctor says of CUDA', () => {
  it('without a driver: that, and what to do', async () => {
    const found = await findings();
    // A machine with a card has the library, whatever PATH says.
    if (found.get('CUDA driver')!.state === 'ok') return;
    expect(found.get('NVIDIA GPUs')).toMatchObject({ state: 'missing', detail: 'none found (no nvidia-smi)' });
    expect(found.get('CUDA driver')).toMatchObject({
      state: 'missing',
      detail: expect.stringContaining('libcuda.so.1 (the system)'),
      advice: expect.stringContaining('install its driver'),
    });
    expect(found.get('cuBLASLt')).toMatchObject({ state: 'missing', detail: 'not looked for: there is no driver' });
    const begin = await machineFindings(labPaths(folder));
    expect(begin.map(({ name }) => name)).toEqual(['Native kernels', 'NVIDIA GPUs', 'Data folder', 'Disk']);
    expect(begin[1].advice).toContain('install its driver');
    expect(found.get('CUDA kernels')!.detail).toMatch(/^\d+ kernels in \d+ famil/u);
  });

  it('names each card, and why one cannot be used', async () => {
    const old = { ...RTX_4090, name: 'Tesla V100', compute_cap: '7.0', 'memory.total': 16_384, 'memory.free': 100 };
    using smi = fakeSmi([RTX_4090, old]);
    vi.stubEnv('PATH', smi.path);
    const found = await findings();
    expect(found.get('GPU cuda:0')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(
        /^NVIDIA GeForce RTX 4090, 24\.0\sGiB, 23\.0\sGiB free, compute capability 8\.9, driver 570\.86\.16$/u,
      ),
    });
    expect(found.get('GPU cuda:1')).toMatchObject({
      state: 'missing',
      advice: expect.stringContaining('compute capability 7.0; needed is 8.0'),
    });
    vi.stubEnv('CUDA_VISIBLE_DEVICES', 'MIG-1');
    expect((await findings()).get('NVIDIA GPUs')!.detail).toContain('CUDA_VISIBLE_DEVICES is "MIG-1"');
  });

  it.skipIf(whyNoEmulator() !== undefined)(
    'with one: what it runs, which cuBLASLt it takes, and what was passed over',
    async () => {
      vi.unstubAllEnvs();
      const built = (await buildEmulator('plain', [])).driver;
      // Beside it lies an emulated cuBLASLt.
      const driver = join(folder, 'driver', 'libcuda.so.1');
      mkdirSync(dirname(driver));
      symlinkSync(built, driver);
      vi.stubEnv('PATH', folder);
      for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX', 'LD_LIBRARY_PATH']) vi.stubEnv(name, '');
      vi.stubEnv('SWEEPLAB_CUDA_LIBRARIES', dirname(driver));
      vi.stubEnv('CUDA_PATH', 'toolkit');
      mkdirSync(join(folder, 'cuda', '13'), { recursive: true });
      mkdirSync(join(folder, 'cuda', '12'), { recursive: true });
      vi.stubEnv('EMU_DRIVER', '12080');
      writeFileSync(join(folder, 'cuda', '13', 'libcublasLt.so.13'), '');
      writeFileSync(join(folder, 'cuda', '12', 'libcublasLt.so.12'), '');
      const found = await findings();
      expect(found.get('CUDA driver')).toMatchObject({
        state: 'ok',
        detail: `${driver}, runs programs up to CUDA 12.8`,
      });
      // No tool answers: the driver itself says which cards there are.
      expect(found.get('GPU cuda:0')).toMatchObject({
        detail: expect.stringMatching(
          /^Emulated GPU, 8\.00\sGiB, compute capability 9\.0; what is free of it is not known$/u,
        ),
        advice: expect.stringContaining('nvidia-smi'),
      });
      expect(found.get('cuBLASLt')).toMatchObject({
        state: 'ok',
        detail: `${join(folder, 'cuda', '12', 'libcublasLt.so.12')} (CUDA 12, by sweeplab setup cuda)`,
        more: [
          `passed over ${join(folder, 'cuda', '13', 'libcublasLt.so.13')} (sweeplab setup cuda): of CUDA 13, and this driver runs up to 12`,
          `nothing in 1 other place: ${dirname(driver)}`,
        ],
      });
      // On others it would only be half a gigabyte.
      vi.stubEnv('EMU_CAPABILITY', '89');
      expect((await findings()).get('cuBLASLt')).toEqual({
        name: 'cuBLASLt',
        state: 'ok',
        detail: 'not needed: our own kernels multiply as fast on Emulated GPU',
      });
      vi.stubEnv('EMU_CAPABILITY', '61');
      const old = await findings();
      expect(old.get('cuBLASLt')).toMatchObject({ state: 'missing', detail: expect.stringContaining('no card') });
      expect(old.get('CUDA kernels')!.advice).toBeUndefined();
      vi.stubEnv('EMU_CAPABILITY', '90');
      // A part of a card, which the tool does not list.
      using smi = fakeSmi([RTX_4090]);
      vi.stubEnv('PATH', smi.path);
      vi.stubEnv('CUDA_VISIBLE_DEVICES', 'MIG-1');
      expect((await findings()).get('GPU cuda:0')).toMatchObject({ detail: expect.stringContaining('Emulated GPU') });
      vi.stubEnv('PATH', folder);
      vi.stubEnv('SWEEPLAB_CUBLASLT', 'off');
      expect((await findings()).get('cuBLASLt')).toEqual({
        name: 'cuBLASLt',
        state: 'ok',
        detail: 'not used: SWEEPLAB_CUBLASLT is off; products run on kernels of our own',
      });
      vi.stubEnv('SWEEPLAB_CUBLASLT', '');
      rmSync(join(folder, 'cuda'), { recursive: true });
      const { more, ...without } = (await findings()).get('cuBLASLt')!;
      const setup = { advice: expect.stringContaining('sweeplab setup cuda'), action: 'setup-cuda' };
      // What NVIDIA has is for these alone.
      expect(without).toMatchObject({ state: 'missing', ...(process.arch === 'x64' ? setup : {}) });
      expect(more).toContain('passed over toolkit (CUDA_PATH): not a whole path');
    },
  );
});
