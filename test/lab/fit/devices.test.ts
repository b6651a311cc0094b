import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  deviceFor,
  findGpu,
  fitPlan,
  gpuTable,
  hostMemory,
  namedGpu,
  tableGpu,
  UnknownGpuError,
} from '../../../main/lab/fit/index.ts';
import { installedGpus } from '../../../main/engine/executors/installed.ts';
import { findGpuByDriverName } from '../../../main/lab/fit/gpus.ts';
import { keepOverhead } from '../../../main/engine/executors/cuda/overhead.ts';
import { useDataFolder } from '../../../main/engine/executors/dataFolder.ts';
import { planBasis } from '../../../main/lab/fit/devices.ts';
import { configOf, SMALL } from './helpers.ts';

const MIB = 2 ** 20;
const files = (texts: Record<string, string>) => async (path: string) => texts[path];

describe('the GPU table', () => {
  it('has the figures of the reference and marks what nobody checked', () => {
    expect(findGpu('RTX 4090')).toMatchObject({ memory_mib: 24_564, bf16: 165.2, gb_per_s: 1010 });
    expect(findGpu('RTX 4090').unverified).not.toContain('memory_mib');
    expect(findGpu('RTX 3090').unverified).toContain('memory_mib');
    expect(findGpu('T4').bf16).toBeNull();
    expect(findGpu('H200').memory_mib).toBe(143_771);
    expect(new Set(gpuTable().map(({ name }) => name)).size).toBe(gpuTable().length);
  });

  it.each([
    ['4090', 'RTX 4090'],
    ['nvidia geforce rtx 4090', 'RTX 4090'],
    ['5070', 'RTX 5070'],
    ['5070ti', 'RTX 5070 Ti'],
    ['a100 40', 'A100 40GB'],
    ['A100-SXM4-80GB', 'A100 80GB SXM'],
    ['V100 32G', 'V100 32GB'],
    ['rtx pro 6000', 'RTX PRO 6000 Blackwell'],
    ['3060', 'RTX 3060 12GB'],
    ['A10', 'A10'],
  ])('%s is %s', (given, name) => {
    expect(findGpu(given).name).toBe(name);
  });

  it('refuses what it does not know and names the nearest (would catch a fallback to another card)', () => {
    expect(() => findGpu('RTX 4099')).toThrow(UnknownGpuError);
    expect(() => findGpu('RTX 4099')).toThrow(/"RTX 4099".*not in the table.*nearest names: RTX 4090/u);
    expect(() => findGpu('')).toThrow(UnknownGpuError);
    expect(() => findGpu('MI300X')).toThrow(/nearest/u);
  });

  it('asks back when a name fits several', () => {
    expect(() => findGpu('A100')).toThrow(/fits several; allowed: one of A100 40GB, A100 80GB PCIe, A100 80GB SXM/u);
    expect(() => findGpu('V100')).toThrow(/V100 16GB, V100 32GB/u);
  });

  it.each([
    ['NVIDIA H100 80GB HBM3', 'H100 SXM'],
    ['NVIDIA H100 PCIe', 'H100 PCIe'],
    ['NVIDIA RTX 6000 Ada Generation', 'RTX 6000 Ada'],
    ['NVIDIA GeForce RTX 3060', 'RTX 3060 12GB'],
    ['Tesla T4', 'T4'],
  ])('the driver says %s for %s', (driver, name) => {
    expect(findGpuByDriverName(driver)?.name).toBe(name);
  });
  it('a card of the driver that the table lacks stays unknown', () => {
    expect(findGpuByDriverName('NVIDIA GeForce GTX 1080 Ti')).toBeUndefined();
  });
});

describe('cards that are here', () => {
  const lines = [
    '0, GPU-a, NVIDIA GeForce RTX 4090, 24564, 20000, 570.1, 8.9',
    '1, GPU-b, GRID, [N/A], [N/A], 570.1, 7.0',
    '2, GPU-c, NVIDIA GeForce RTX 3060, 12288, 12000, 570.1, 8.6',
    '3, GPU-d, NVIDIA GeForce RTX 4090, 24564, 23000, 570.1, 8.9',
  ];
  const smi = async () => `${lines[0]}\n${lines[1]}\n`;
  it('are asked for their free memory', async () => {
    expect(await installedGpus(smi)).toMatchObject([
      { index: 0, name: 'NVIDIA GeForce RTX 4090', totalBytes: 24_564 * MIB, freeBytes: 20_000 * MIB },
    ]);
    const device = await namedGpu('4090', 'cuda', smi);
    expect(device).toMatchObject({ basis: 'measured', availableBytes: 20_000 * MIB });
  });
  it('are chosen by their number, else the largest with the most free memory', async () => {
    const all = async () => lines.join('\n');
    const on = (device: string) => deviceFor(configOf({ device }), {}, undefined, all);
    expect(await on('cuda')).toMatchObject({ kind: 'cuda', availableBytes: 23_000 * MIB });
    expect(await on('cuda:2')).toMatchObject({ name: 'NVIDIA GeForce RTX 3060', availableBytes: 12_000 * MIB });
    expect(await on('cuda:0')).toMatchObject({ availableBytes: 20_000 * MIB });
    await expect(on('cuda:7')).rejects.toThrow(
      /device is cuda:7, but the cards are cuda:0 \(NVIDIA GeForce RTX 4090, 24\.0\sGiB\), cuda:2 \(NVIDIA GeForce RTX 3060, 12\.0\sGiB\), cuda:3 \(/u,
    );
    const none = () => Promise.reject(Object.assign(new Error('spawn'), { code: 'ENOENT' }));
    await expect(deviceFor(configOf({ device: 'cuda:0' }), {}, undefined, none)).rejects.toThrow(
      'device is cuda:0, but no NVIDIA driver is found (no nvidia-smi)',
    );
  });
  it('bring what was measured to be needed besides the plan (would catch a verdict on a guess where the machine knows)', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-base-'));
    try {
      useDataFolder(home);
      const base = async () => {
        const device = await namedGpu('4090', 'cuda', smi);
        return fitPlan(configOf(SMALL), { ...planBasis(device) }).base;
      };
      expect(await base()).toMatchObject({ bytes: 600 * MIB, basis: 'estimated' });
      keepOverhead({ card: 'NVIDIA GeForce RTX 4090', driver: '570.1', libraries: [], bytes: 450 * MIB });
      expect(await base()).toMatchObject({ bytes: 450 * MIB, basis: 'measured' });
      expect((await tableGpu(findGpu('RTX 3090'))).base).toBeUndefined();
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
  // Would catch a plan without the library's workspaces, and one with them where there is none.
  it('bring what programs are compiled for: with cuBLASLt on cards that multiply with it, where it can be found', async () => {
    expect((await namedGpu('H100 SXM', 'cuda', smi)).profile).toEqual({ library: true });
    expect((await namedGpu('RTX 3090', 'cuda', smi)).profile).toEqual({ library: false });
    expect((await namedGpu('4090', 'cuda', smi)).profile).toEqual({ library: false });
    vi.stubEnv('SWEEPLAB_CUBLASLT', 'off');
    const h100 = '0, GPU-a, NVIDIA H100 80GB HBM3, 81559, 81000, 570.1, 9.0\n';
    expect((await namedGpu('H100 SXM', 'cuda', () => Promise.resolve(h100))).profile).toEqual({ library: false });
    vi.unstubAllEnvs();
  });
  it('are told from a what-if', async () => {
    const device = await namedGpu('RTX 3090', 'cuda', smi);
    expect(device).toMatchObject({ basis: 'table', verified: false, availableBytes: 24_576 * MIB });
    expect(device.notes.join()).toMatch(/not in this machine.*unverified/u);
  });
  it('without a driver there are none, and device cuda says so', async () => {
    const none = async () => {
      throw new Error('no nvidia-smi');
    };
    expect(await installedGpus(none)).toEqual([]);
    await expect(deviceFor(configOf({ device: 'cuda' }), {}, undefined, none)).rejects.toThrow(
      /device is cuda.*--gpu/u,
    );
  });
});

describe('memory of the machine', () => {
  const meminfo = 'MemTotal:       16000000 kB\nMemFree:  100 kB\nMemAvailable:   8000000 kB\n';
  it('is what is available, not what is free (would refuse runs because of file caches)', async () => {
    expect(await hostMemory(files({ '/proc/meminfo': meminfo }))).toEqual({
      totalBytes: 16_000_000 * 1024,
      availableBytes: 8_000_000 * 1024,
      limitedBy: 'machine',
    });
  });
  it('is limited by a control group, version 2, whose parents count too', async () => {
    const memory = await hostMemory(
      files({
        '/proc/meminfo': meminfo,
        '/proc/self/cgroup': '0::/box/inner\n',
        '/sys/fs/cgroup/box/inner/memory.max': 'max\n',
        '/sys/fs/cgroup/box/memory.max': '1000000000\n',
        '/sys/fs/cgroup/box/memory.current': '600000000\n',
        '/sys/fs/cgroup/box/memory.stat': 'anon 1\ninactive_file 100000000\n',
      }),
    );
    expect(memory).toEqual({ totalBytes: 1e9, availableBytes: 5e8, limitedBy: 'container' });
  });
  it('is limited by a control group, version 1, where "no limit" is a huge number', async () => {
    const group = (limit: string) =>
      files({
        '/proc/meminfo': meminfo,
        '/proc/self/cgroup': '4:memory:/box\n0::/\n',
        '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': limit,
        '/sys/fs/cgroup/memory/box/memory.usage_in_bytes': '300000000',
      });
    expect((await hostMemory(group('2000000000'))).availableBytes).toBe(1.7e9);
    expect((await hostMemory(group('9223372036854771712'))).limitedBy).toBe('machine');
  });
});

describe('the device of a configuration', () => {
  it('auto is what training would open; tfjs-wasm cannot address more than 4 GiB', async () => {
    const asked: string[] = [];
    const open = async (device: string, policy: string) => {
      asked.push(`${device} ${policy}`);
      return 'tfjs-wasm';
    };
    const device = await deviceFor(configOf({ device: 'auto' }), {}, open);
    expect(asked).toEqual(['auto fp32']);
    expect(device.kind).toBe('tfjs-wasm');
    expect(device.availableBytes).toBeLessThanOrEqual(4096 * MIB);
  });
});
