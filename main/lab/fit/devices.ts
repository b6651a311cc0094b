/** Where a run could train: memory that is free there now, and how fast it is. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { FitDevice as Device } from '../../../preload/contract/fit.ts';
import { alike } from '../../engine/executors/cards.ts';
import type { BaseBytes, Profile } from '../../engine/executors/executorKind.ts';
import { fastestOn } from '../../engine/executors/fastest.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import { executorKind, ON_A_GPU } from '../../engine/executors/index.ts';
import { installedGpus } from '../../engine/executors/installed.ts';
import type { AskDriver, InstalledGpu } from '../../engine/executors/nvidia.ts';
import { openFilesProblem } from '../../files/openFiles.ts';
import { findGpu, findGpuByDriverName } from './gpus.ts';
import type { GpuSpec } from './gpus.ts';

/** FLOP/s and bytes/s at their best; null: not known. */
export interface ComputeFacts {
  readonly fp32: number | null;
  readonly bf16: number | null;
  readonly fp16: number | null;
  readonly bytesPerSecond: number | null;
  /** Where the figures come from, for people. */
  readonly basis: string;
}

/** A device with what its speed is estimated from. */
export interface FitDevice extends Device {
  readonly compute: ComputeFacts;
  /** What an executor was measured to need here besides its plan. */
  readonly base?: BaseBytes | undefined;
  /** What programs are compiled for there. */
  readonly profile?: Profile | undefined;
}

/** How plans for a device are made. */
export const planBasis = ({ kind, base, profile }: FitDevice): Pick<FitDevice, 'kind' | 'base' | 'profile'> => ({
  kind,
  base,
  profile,
});

/** What `precision.policy: auto` means on a device that is planned for, here or not. */
export function fastestFor({ kind, compute }: FitDevice): FastestOn {
  const unable = compute.bf16 === null && compute.fp16 !== null;
  return fastestOn(kind, executorKind(kind).memory === 'gpu' ? !unable : undefined);
}

const MIB = 2 ** 20;

/** Reads a text file; undefined when it cannot be read. Replaced in tests. */
export type ReadText = (path: string) => Promise<string | undefined>;

const readText: ReadText = async (path) => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // Else a machine without memory is what remains.
    const many = openFilesProblem(error);
    if (many !== undefined) throw new Error(`${path} cannot be read: ${many}`, { cause: error });
    return undefined;
  }
};

export interface HostMemory {
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** What set the limit: the machine, or a control group (container). */
  readonly limitedBy: 'machine' | 'container';
}

/**
 * Memory of the machine that a process may take: MemAvailable (Linux; else what Node reports), and no more than what the control group
 * leaves (version 2 `memory.max`, version 1 `memory.limit_in_bytes`), whose file cache counts as free.
 */
export async function hostMemory(read: ReadText = readText): Promise<HostMemory> {
  const meminfo = await read('/proc/meminfo');
  const kib = (name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'mu').exec(meminfo ?? '');
    return found === null ? undefined : Number(found[1]) * 1024;
  };
  const machine = {
    totalBytes: kib('MemTotal') ?? totalmem(),
    availableBytes: kib('MemAvailable') ?? process.availableMemory(),
  };
  const group = await groupMemory(read);
  if (group === undefined || group.totalBytes >= machine.totalBytes) return { ...machine, limitedBy: 'machine' };
  return {
    totalBytes: group.totalBytes,
    availableBytes: Math.min(machine.availableBytes, group.availableBytes),
    limitedBy: group.availableBytes < machine.availableBytes ? 'container' : 'machine',
  };
}

async function groupMemory(read: ReadText): Promise<{ totalBytes: number; availableBytes: number } | undefined> {
  const groups = (await read('/proc/self/cgroup')) ?? '';
  const own = /^0::(\/.*)$/mu.exec(groups)?.[1] ?? '';
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/mu.exec(groups)?.[1] ?? '';
  const places = [
    ...parents(own).map((path) => ({
      folder: `/sys/fs/cgroup${path}`,
      limit: 'memory.max',
      used: 'memory.current',
      cache: 'inactive_file',
    })),
    ...parents(memory).map((path) => ({
      folder: `/sys/fs/cgroup/memory${path}`,
      limit: 'memory.limit_in_bytes',
      used: 'memory.usage_in_bytes',
      cache: 'total_inactive_file',
    })),
  ];
  let tightest: { totalBytes: number; availableBytes: number } | undefined;
  for (const { folder, limit, used, cache } of places) {
    const totalBytes = Number((await read(`${folder}/${limit}`))?.trim());
    // "max" is no number, and version 1 writes "no limit" as nearly 2^63.
    if (!(totalBytes > 0) || totalBytes >= 2 ** 60) continue;
    const usedBytes = Number((await read(`${folder}/${used}`))?.trim() || '0');
    const stat = (await read(`${folder}/memory.stat`)) ?? '';
    const cached = Number(new RegExp(`^${cache} (\\d+)`, 'mu').exec(stat)?.[1] ?? 0);
    const availableBytes = Math.max(0, totalBytes - usedBytes + cached);
    if (tightest === undefined || availableBytes < tightest.availableBytes) tightest = { totalBytes, availableBytes };
  }
  return tightest;
}

/** `/a/b` → /a/b, /a and the root: a limit of any of them holds. */
function parents(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return [...parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`), ''];
}

const NOTHING_KNOWN: Omit<ComputeFacts, 'basis'> = { fp32: null, bf16: null, fp16: null, bytesPerSecond: null };

function gpuCompute(gpu: GpuSpec | undefined): ComputeFacts {
  if (gpu === undefined) return { ...NOTHING_KNOWN, basis: 'this GPU is not in the table: its speed is unknown' };
  const flops = (tera: number | null): number | null => (tera === null ? null : tera * 1e12);
  const doubts = gpu.unverified.filter((field) => field !== 'memory_mib');
  return {
    fp32: flops(gpu.fp32),
    bf16: flops(gpu.bf16),
    fp16: flops(gpu.fp16),
    bytesPerSecond: gpu.gb_per_s === null ? null : gpu.gb_per_s * 1e9,
    basis: `GPU table${doubts.length > 0 ? ` (unverified: ${doubts.join(', ')})` : ''}`,
  };
}

/** A card by name for a what-if; when it is in this machine, as it is now. @throws UnknownGpuError */
export async function namedGpu(name: string, kind: string = ON_A_GPU, ask?: AskDriver): Promise<FitDevice> {
  const spec = findGpu(name);
  const here = (await installedGpus(ask)).find((gpu) => findGpuByDriverName(gpu.name) === spec);
  return here === undefined ? tableGpu(spec, kind) : installedDevice(here, kind);
}

export async function tableGpu(spec: GpuSpec, kind: string = ON_A_GPU): Promise<FitDevice> {
  if (spec.memory_mib === null) throw new Error(`the memory of ${spec.name} is unknown`);
  const bytes = spec.memory_mib * MIB;
  const verified = !spec.unverified.includes('memory_mib');
  const notes = [
    'not in this machine: all of its memory is taken as free, though a display or other programs may use some',
  ];
  if (!verified) notes.push('its memory size in the table is unverified');
  return {
    kind,
    name: spec.name,
    basis: 'table',
    verified,
    totalBytes: bytes,
    availableBytes: bytes,
    compute: gpuCompute(spec),
    profile: await executorKind(kind).profileOn?.(spec.capability, false),
    notes,
  };
}

async function installedDevice(gpu: InstalledGpu, kind: string): Promise<FitDevice> {
  return {
    kind,
    name: gpu.name,
    basis: 'measured',
    verified: true,
    totalBytes: gpu.totalBytes,
    availableBytes: gpu.freeBytes,
    compute: gpuCompute(findGpuByDriverName(gpu.name)),
    base: executorKind(kind).baseOn?.({ card: gpu.name, driver: gpu.driver }),
    profile: await executorKind(kind).profileOn?.(gpu.capability, true),
    notes:
      gpu.freeAssumed === undefined
        ? []
        : [
            'all of its memory is taken as free: what other programs hold of it is asked of nvidia-smi, which does not answer',
          ],
  };
}

/** The processor of this machine under one of its executors. */
export async function hostDevice(kind: string, read: ReadText = readText): Promise<FitDevice> {
  const memory = await hostMemory(read);
  const { limitBytes } = executorKind(kind);
  const notes: string[] = [];
  if (memory.limitedBy === 'container') notes.push('limited by the control group of this container');
  let { availableBytes } = memory;
  if (limitBytes !== undefined && limitBytes < availableBytes) {
    availableBytes = limitBytes;
    notes.push(`${kind} cannot address more than ${limitBytes / 2 ** 30} GiB`);
  }
  return {
    kind,
    name: `${cpus()[0]?.model.trim() ?? 'processor'}, ${availableParallelism()} threads`,
    basis: 'measured',
    verified: true,
    totalBytes: memory.totalBytes,
    availableBytes,
    compute: await hostCompute(read),
    notes,
  };
}

/**
 * A kind of executor on this machine: on a card, the one of that number, or of those that runs without a number go to the one with the
 * most free memory. @returns undefined for a GPU kind without a GPU, or without that one
 */
export async function localDevice(kind: string, card?: number, ask?: AskDriver): Promise<FitDevice | undefined> {
  if (executorKind(kind).memory === 'host') return hostDevice(kind);
  const cards = await installedGpus(ask);
  const [gpu] =
    card === undefined
      ? alike(cards).toSorted((a, b) => b.freeBytes - a.freeBytes)
      : cards.filter(({ index }) => index === card);
  return gpu === undefined ? undefined : installedDevice(gpu, kind);
}

/** FLOPs per cycle and core by instruction set: two fused multiply-adds of a full vector, or one matrix tile operation per 16 cycles. */
async function hostCompute(read: ReadText): Promise<ComputeFacts> {
  const info = (await read('/proc/cpuinfo')) ?? '';
  const flags = new Set(/^flags\s*:(.*)$/mu.exec(info)?.[1]?.trim().split(' '));
  const gigahertz =
    Math.max(cpus()[0]?.speed ?? 0, Number(/^cpu MHz\s*:\s*([\d.]+)/mu.exec(info)?.[1] ?? 0)) / 1000 || 2.5;
  const cycles = availableParallelism() * gigahertz * 1e9;
  const fp32 = flags.has('avx512f') ? 64 : flags.has('avx2') || process.arch === 'arm64' ? 32 : 8;
  const bf16 = flags.has('amx_bf16') ? 1024 : flags.has('avx512_bf16') ? 128 : fp32;
  return {
    fp32: fp32 * cycles,
    bf16: bf16 * cycles,
    // Widened where it is packed.
    fp16: fp32 * cycles,
    bytesPerSecond: await copyBandwidth(),
    basis: `${availableParallelism()} threads × ${gigahertz.toFixed(1)} GHz × ${fp32} FLOPs per cycle; memory by a short copy`,
  };
}

let bandwidth: Promise<number> | undefined;

/** Bytes read and written per second by one thread that copies 32 MiB; the best of four. Measured once, with turns for others in between. */
function copyBandwidth(): Promise<number> {
  return (bandwidth ??= measureCopies());
}

async function measureCopies(): Promise<number> {
  const from = new Uint8Array(32 * MIB);
  const to = new Uint8Array(32 * MIB);
  let best = Infinity;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    to.set(from);
    best = Math.min(best, performance.now() - start);
    await setImmediate();
  }
  return (2 * from.length) / (best / 1000);
}
