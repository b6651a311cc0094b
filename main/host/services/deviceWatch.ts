/** Which devices there are, and their numbers while somebody looks. */
import { availableParallelism, cpus } from 'node:os';
import type { DeviceInfo, DeviceReading } from '../../../preload/contract/shapes.ts';
import type { ExecutorKind } from '../../engine/executors/executorKind.ts';
import { alike, cardName } from '../../engine/executors/cards.ts';
import { whyUnusable } from '../../engine/executors/cuda/requirements.ts';
import { UNVERIFIED } from '../../engine/executors/cuda/verified.ts';
import { AUTO, ON_A_GPU } from '../../engine/executors/index.ts';
import { installedGpus } from '../../engine/executors/installed.ts';
import { gpuReadings, isDriverMissing } from '../../engine/executors/nvidia.ts';
import type { AskDriver } from '../../engine/executors/nvidia.ts';
import { probeExecutors, selectExecutor } from '../../engine/executors/select.ts';
import type { Probe } from '../../engine/executors/select.ts';
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

/** Where it asks; others in tests. */
export interface DeviceSources {
  readonly probe: () => Promise<readonly Probe[]>;
  /** The executor that `auto` takes; undefined where none can be opened. */
  readonly chosen: () => Promise<string | undefined>;
  readonly ask?: AskDriver;
}

const SOURCES: DeviceSources = {
  probe: probeExecutors,
  chosen: () =>
    selectExecutor(AUTO).then(
      ({ executor }) => executor.device.executor,
      () => undefined,
    ),
};

export class DeviceWatch {
  #known: Promise<readonly Known[]> | undefined;
  #before = processorTimes();
  #timer: NodeJS.Timeout | undefined;
  #gpuMissing = false;
  readonly #tell: (devices: readonly { id: string; reading: DeviceReading }[]) => void;
  readonly #sources: DeviceSources;

  constructor(
    tell: (devices: readonly { id: string; reading: DeviceReading }[]) => void,
    sources: DeviceSources = SOURCES,
  ) {
    this.#tell = tell;
    this.#sources = sources;
  }

  async list(): Promise<DeviceInfo[]> {
    this.#known ??= findDevices(this.#sources);
    const known = await this.#known;
    const [cpu, gpus] = await Promise.all([this.#readHost(), this.#readGpus()]);
    const busiest = [...gpus.values()].reduce(
      (a, b) => ((b.memoryUsedBytes ?? 0) > (a.memoryUsedBytes ?? 0) ? b : a),
      NOTHING,
    );
    return known.map((device) => ({
      ...device,
      reading: device.memory === 'host' ? cpu : device.card === null ? busiest : (gpus.get(device.card) ?? NOTHING),
    }));
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

  /** By the numbers of the cards. */
  async #readGpus(): Promise<ReadonlyMap<number, DeviceReading>> {
    if (this.#gpuMissing) return new Map();
    try {
      return await gpuReadings(this.#sources.ask);
    } catch (error) {
      // Not installed now means not installed until the next start.
      this.#gpuMissing = isDriverMissing(error);
      return new Map();
    }
  }
}

async function findDevices({ probe, chosen: choose, ask }: DeviceSources): Promise<readonly Known[]> {
  const [probed, chosen, cards] = await Promise.all([probe(), choose(), installedGpus(ask)]);
  const usual = alike(cards);
  return probed.flatMap(({ kind, available, detail }): Known[] => {
    const { name, memory } = kind;
    const device: Known = {
      id: name,
      name: available ? describe(kind, detail) : name,
      kind: name,
      memory,
      card: null,
      available,
      reason: available ? null : detail,
      note: name === ON_A_GPU ? (UNVERIFIED ?? null) : null,
      isDefault: name === chosen,
      policies: available ? kind.policies : [],
    };
    if (name !== ON_A_GPU || cards.length === 0) return [device];
    return cards.map((card) => {
      const why = whyUnusable(card) ?? device.reason;
      return {
        ...device,
        id: cards.length === 1 ? name : cardName(card.index),
        name: card.name,
        card: card.index,
        available: why === null,
        reason: why,
        isDefault: device.isDefault && usual.includes(card),
        policies: why === null ? kind.policies : [],
      };
    });
  });
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
