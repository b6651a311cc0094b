/** NVIDIA GPUs of this machine, as the driver's command-line tool reports them. The one place that asks it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DeviceReading } from '../../../preload/contract/shapes.ts';

const MIB = 2 ** 20;

/** Lines of values without units, in the order of `fields`; a rejection where there is no driver. Replaced in tests. */
export type AskDriver = (fields: readonly string[]) => Promise<string>;

const askDriver: AskDriver = async (fields) => {
  const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 5000 });
  return stdout;
};

/** Whether an error of {@link AskDriver} means that there is no driver at all. */
export const isDriverMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function rows(ask: AskDriver, fields: readonly string[]): Promise<string[][]> {
  const text = await ask(fields);
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
  readonly index: number;
  /** As the driver names it. */
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** GPUs of this machine with their free memory; none without a driver. */
export async function installedGpus(ask: AskDriver = askDriver): Promise<InstalledGpu[]> {
  const found = await rows(ask, ['index', 'name', 'memory.total', 'memory.free']).catch((): string[][] => []);
  return found.flatMap(([index, name, total, free]) => {
    const [totalMib, freeMib] = [numberOrNull(total), numberOrNull(free)];
    if (!name || totalMib === null || freeMib === null) return [];
    return [{ index: Number(index), name, totalBytes: totalMib * MIB, freeBytes: freeMib * MIB }];
  });
}

/** What every GPU does now. @throws what {@link AskDriver} does */
export async function gpuReadings(ask: AskDriver = askDriver): Promise<DeviceReading[]> {
  const fields = ['memory.used', 'memory.total', 'utilization.gpu', 'temperature.gpu', 'power.draw'];
  return (await rows(ask, fields)).map((row) => {
    const [used, total, busy, temperatureC, powerW] = row.map(numberOrNull);
    return {
      memoryUsedBytes: used == null ? null : used * MIB,
      memoryTotalBytes: total == null ? null : total * MIB,
      utilization: busy == null ? null : busy / 100,
      temperatureC: temperatureC ?? null,
      powerW: powerW ?? null,
    };
  });
}

/** One line for each GPU, for people. @throws what {@link AskDriver} does */
export async function describeGpus(ask: AskDriver = askDriver): Promise<string[]> {
  const found = await rows(ask, ['name', 'memory.total', 'memory.free', 'driver_version']);
  return found.map(([name, total, free, driver]) => `${name}, ${total} MiB, ${free} MiB free, driver ${driver}`);
}
