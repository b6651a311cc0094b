/** NVIDIA GPUs of this machine, as the driver's command-line tool reports them. The one place that asks it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DeviceReading } from '../../../preload/contract/shapes.ts';

const MIB = 2 ** 20;

/** Lines of values without units, in the order of `fields`; a rejection where there is no driver. Replaced in tests. */
export type AskDriver = (fields: readonly string[], of?: 'gpu' | 'compute-apps') => Promise<string>;

const askDriver: AskDriver = async (fields, of = 'gpu') => {
  const query = [`--query-${of}=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  // In WSL it need not be in PATH.
  for (const program of ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi'])
    try {
      const { stdout } = await promisify(execFile)(program, query, { timeout: 5000, windowsHide: true });
      return stdout;
    } catch (error) {
      if (!isDriverMissing(error)) throw error;
    }
  throw Object.assign(new Error('there is no nvidia-smi'), { code: 'ENOENT' });
};

/** Whether an error of {@link AskDriver} means that there is no driver at all. */
export const isDriverMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function rows(ask: AskDriver, fields: readonly string[], of?: 'gpu' | 'compute-apps'): Promise<string[][]> {
  const text = await ask(fields, of);
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()));
}

/** "[N/A]" where the driver does not say (some virtual GPUs). */
const numberOrNull = (cell: string | undefined): number | null => {
  const value = Number(cell);
  return cell === undefined || cell === '' || !Number.isFinite(value) ? null : value;
};

export interface InstalledGpu {
  /** Its number in the order of the bus, as `nvidia-smi` counts. */
  readonly index: number;
  /** `GPU-…`: the same wherever it is plugged in. */
  readonly uuid: string;
  /** As the driver names it. */
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Nobody says what is free: all of it is taken to be. */
  readonly freeAssumed?: true;
  /** Version of the driver, `550.54.14`; empty where it is not known. */
  readonly driver: string;
  /** Compute capability, `8.9`; null where the driver is too old to say. */
  readonly capability: string | null;
}

const FACTS = ['index', 'uuid', 'name', 'memory.total', 'memory.free', 'driver_version'];

/**
 * The GPUs of this machine; of those alone that CUDA_VISIBLE_DEVICES leaves, where it is set. Whatever one of them says of its memory:
 * some virtual ones say nothing, and are left out.
 * @throws what {@link AskDriver} does
 */
export async function driverGpus(ask: AskDriver = askDriver): Promise<InstalledGpu[]> {
  // Drivers before R510 do not know the capability, and refuse the whole question.
  const lines = await rows(ask, [...FACTS, 'compute_cap']).catch((error: unknown) => {
    if (isDriverMissing(error)) throw error;
    return rows(ask, FACTS);
  });
  const found = lines.flatMap(([index, uuid, name, total, free, driver, capability]): InstalledGpu[] => {
    const [totalMib, freeMib] = [numberOrNull(total), numberOrNull(free)];
    if (!name || totalMib === null || freeMib === null) return [];
    const bytes = { totalBytes: totalMib * MIB, freeBytes: freeMib * MIB };
    const known = /^\d+\.\d+$/u.test(capability ?? '') ? capability : null;
    return [{ index: Number(index), uuid: uuid ?? '', name, ...bytes, driver: driver ?? '', capability: known }];
  });
  return visibleGpus(found);
}

/**
 * The card that CUDA counts as `ordinal`, with the programs that use it, where the driver says how many: in containers it may not see them.
 */
export async function cardUse(
  ordinal: number,
  ask: AskDriver = askDriver,
): Promise<(InstalledGpu & { readonly programs: number | null }) | undefined> {
  const [gpus, apps] = await Promise.all([
    driverGpus(ask).catch(() => []),
    rows(ask, ['gpu_uuid', 'pid'], 'compute-apps').catch(() => null),
  ]);
  const gpu = gpus[ordinal];
  if (gpu === undefined) return undefined;
  return { ...gpu, programs: apps === null ? null : apps.filter(([uuid]) => uuid === gpu.uuid).length };
}

/**
 * The cards that CUDA_VISIBLE_DEVICES leaves, in its order, by number or by (the beginning of) their uuid. CUDA reads it up to the first
 * entry that means nothing.
 */
export function visibleGpus<G extends Pick<InstalledGpu, 'index' | 'uuid'>>(
  all: readonly G[],
  variable: string | undefined = process.env.CUDA_VISIBLE_DEVICES,
): G[] {
  if (variable === undefined) return [...all];
  const chosen: G[] = [];
  for (const entry of variable.split(',').map((each) => each.trim())) {
    const gpu = all.find(
      ({ index, uuid }) => entry === String(index) || (entry.startsWith('GPU-') && uuid.startsWith(entry)),
    );
    if (gpu === undefined || chosen.includes(gpu)) break;
    chosen.push(gpu);
  }
  return chosen;
}

/** What every GPU does now, by its number. @throws what {@link AskDriver} does */
export async function gpuReadings(ask: AskDriver = askDriver): Promise<Map<number, DeviceReading>> {
  const fields = ['index', 'memory.used', 'memory.total', 'utilization.gpu', 'temperature.gpu', 'power.draw'];
  const lines = (await rows(ask, fields)).map((row): [number, DeviceReading] => {
    const [used, total, busy, temperatureC, powerW] = row.slice(1).map(numberOrNull);
    const reading = {
      memoryUsedBytes: used == null ? null : used * MIB,
      memoryTotalBytes: total == null ? null : total * MIB,
      utilization: busy == null ? null : busy / 100,
      temperatureC: temperatureC ?? null,
      powerW: powerW ?? null,
    };
    return [Number(row[0]), reading];
  });
  return new Map(lines);
}
