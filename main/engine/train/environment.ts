/** What a run runs on, recorded with it. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import type { RunEnvironment } from '../../../preload/contract/runs.ts';
import type { DeviceDescription } from '../executors/executor.ts';

/** @param products what multiplies matrices, where that is told apart */
export function describeEnvironment(device: DeviceDescription, products?: string): RunEnvironment {
  return {
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    executor: device.executor,
    device: device.name,
    threads: device.threads,
    ...(products === undefined ? {} : { products }),
  };
}
