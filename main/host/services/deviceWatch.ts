/** Which devices there are, and their numbers while somebody looks. */
import { availableParallelism, cpus } from 'node:os';
import type { DeviceInfo, DeviceReading } from '../../../preload/contract/shapes.ts';
import type { ExecutorKind } from '../../engine/executors/executorKind.ts';
import { AUTO } from '../../engine/executors/index.ts';
import { gpuReadings, isDriverMissing } from '../../engine/executors/nvidia.ts';
import { probeExecutors, selectExecutor } from '../../engine/executors/select.ts';
import { hostMemory } from '../../lab/fit/index.ts';

const EVERY_MS = 2000;
const NOTHING: DeviceReading = {
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  utilization: null,
  temperatureC: null,
  powerW: null,
};

type Known = Omit<DeviceInfo, 'reading'>;

export class DeviceWatch {
  #known: Promise<readonly Known[]> | undefined;
  #before = processorTimes();
  #timer: NodeJS.Timeout | undefined;
  #gpuMissing = false;
  readonly #tell: (devices: readonly { id: string; reading: DeviceReading }[]) => void;

  constructor(tell: (devices: readonly { id: string; reading: DeviceReading }[]) => void) {
    this.#tell = tell;
  }

  async list(): Promise<DeviceInfo[]> {
    this.#known ??= findDevices();
    const known = await this.#known;
    const [cpu, gpu] = await Promise.all([this.#readHost(), this.#readGpu()]);
    return known.map((device) => ({ ...device, reading: device.memory === 'gpu' ? gpu : cpu }));
  }

  /** Reads every two seconds while `wanted`. */
  watch(wanted: boolean): void {
    if (wanted === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!wanted) return;
    this.#timer = setInterval(() => {
      void this.list().then(
        (devices) => this.#tell(devices.map(({ id, reading }) => ({ id, reading }))),
        () => undefined,
      );
    }, EVERY_MS).unref();
  }

  async #readHost(): Promise<DeviceReading> {
    const { totalBytes, availableBytes } = await hostMemory();
    const now = processorTimes();
    const total = now.total - this.#before.total;
    const utilization = total > 0 ? Math.min(1, Math.max(0, 1 - (now.idle - this.#before.idle) / total)) : null;
    if (total > 0) this.#before = now;
    return { ...NOTHING, memoryTotalBytes: totalBytes, memoryUsedBytes: totalBytes - availableBytes, utilization };
  }

  /** The GPU with the most memory in use, which is the one that trains. */
  async #readGpu(): Promise<DeviceReading> {
    if (this.#gpuMissing) return NOTHING;
    try {
      const readings = await gpuReadings();
      return readings.sort((a, b) => (b.memoryUsedBytes ?? 0) - (a.memoryUsedBytes ?? 0))[0] ?? NOTHING;
    } catch (error) {
      // Not installed now means not installed until the next start.
      this.#gpuMissing = isDriverMissing(error);
      return NOTHING;
    }
  }
}

async function findDevices(): Promise<readonly Known[]> {
  const probed = await probeExecutors();
  const chosen = await selectExecutor(AUTO).then(
    ({ executor }) => executor.device.executor,
    () => undefined,
  );
  return probed.map(({ kind, available, detail }): Known => ({
    id: kind.name,
    name: available ? describe(kind, detail) : kind.name,
    kind: kind.name,
    memory: kind.memory,
    available,
    reason: available ? null : detail,
    isDefault: kind.name === chosen,
    policies: available ? kind.policies : [],
  }));
}

/** The same processor runs several executors: each name says which. */
function describe({ memory, variant }: ExecutorKind, detail: string): string {
  if (memory === 'gpu') return detail;
  const processor = `${cpus()[0]?.model.trim() || 'Processor'}, ${availableParallelism()} threads`;
  return variant === undefined ? processor : `${processor} (${variant})`;
}

function processorTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, total };
}
