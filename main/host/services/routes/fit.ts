import type { FitReport, GpuInfo } from '../../../../preload/contract/shapes.ts';
import { findGpuByDriverName } from '../../../lab/fit/gpus.ts';
import { installedGpus } from '../../../engine/executors/installed.ts';
import { gpuTable } from '../../../lab/fit/index.ts';
import type { GpuSpec } from '../../../lab/fit/index.ts';
import { configOf } from '../hub.ts';
import type { Handlers, Hub } from '../hub.ts';

export function fitRoutes(hub: Hub): Handlers<'fit'> {
  const { planner } = hub;
  return {
    'fit.report': async (
      { values, recipe, prices = {}, occupancy = false, ...where },
      { signal },
    ): Promise<FitReport> => {
      const config = await configOf(hub.lab.registry, { values, recipe }, await planner.chosen(where));
      const device = await planner.device(config, where);
      const { report, programs } = await planner.ask('report', { config, device, prices, occupancy }, signal);
      return { ...report, config, programs };
    },
    'fit.gpus': async () => {
      const installed = new Set((await installedGpus()).map(({ name }) => findGpuByDriverName(name)));
      return { gpus: gpuTable().map((gpu) => gpuInfo(gpu, installed.has(gpu))) };
    },
  };
}

const gpuInfo = (gpu: GpuSpec, installed: boolean): GpuInfo => ({
  name: gpu.name,
  aliases: gpu.aliases ?? [],
  memoryBytes: gpu.memory_mib === null ? null : gpu.memory_mib * 2 ** 20,
  installed,
  verified: !gpu.unverified.includes('memory_mib'),
});
