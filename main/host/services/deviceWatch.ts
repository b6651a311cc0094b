/** Which devices there are, and their numbers while somebody looks. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { promisify } from 'node:util';
import type { DeviceInfo, DeviceReading } from '../../../preload/contract/shapes.ts';
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
const ON_GPU = new Set(['cuda', 'tfjs-gpu']);

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
    return known.map((device) => ({ ...device, reading: ON_GPU.has(device.kind) ? gpu : cpu }));
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
    const fields = 'memory.used,memory.total,utilization.gpu,temperature.gpu,power.draw';
    try {
      const { stdout } = await promisify(execFile)(
        'nvidia-smi',
        [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'],
        { timeout: 5000 },
      );
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(',').map((cell) => Number(cell.trim())));
      const [row] = rows.sort((a, b) => (b[0] ?? 0) - (a[0] ?? 0));
      const [used, total, busy, temperature, power] = (row ?? []).map((x) => (Number.isFinite(x) ? x : null));
      return {
        memoryUsedBytes: used == null ? null : used * 2 ** 20,
        memoryTotalBytes: total == null ? null : total * 2 ** 20,
        utilization: busy == null ? null : busy / 100,
        temperatureC: temperature ?? null,
        powerW: power ?? null,
      };
    } catch (error) {
      // Not installed now means not installed until the next start.
      this.#gpuMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      return NOTHING;
    }
  }
}

async function findDevices(): Promise<readonly Known[]> {
  const probed = await probeExecutors();
  const chosen = await selectExecutor('auto').then(
    ({ executor }) => executor.device.executor,
    () => undefined,
  );
  return await Promise.all(
    probed.map(async ({ name, available, detail }): Promise<Known> => {
      const policies = available ? [...(await openPolicies(name))] : [];
      return {
        id: name,
        name: available ? describe(name, detail) : name,
        kind: name,
        available,
        reason: available ? null : detail,
        isDefault: name === chosen,
        policies,
      };
    }),
  );
}

const openPolicies = async (name: string): Promise<readonly string[]> => {
  try {
    return (await selectExecutor(name)).executor.device.policies;
  } catch {
    return [];
  }
};

/** The same processor runs several executors: each name says which. */
function describe(kind: string, detail: string): string {
  if (ON_GPU.has(kind)) return detail;
  const model = cpus()[0]?.model.trim() || 'Processor';
  const threads = `${availableParallelism()} threads`;
  return kind === 'cpu' ? `${model}, ${threads}` : `${model}, ${threads} (TensorFlow.js ${kind.slice('tfjs-'.length)})`;
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
