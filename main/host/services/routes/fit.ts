import type { FitReport, GpuInfo } from '../../../../preload/contract/shapes.ts';
import { findGpuByDriverName } from '../../../lab/fit/gpus.ts';
import { fitReport, gpuTable, installedGpus } from '../../../lab/fit/index.ts';
import type { GpuSpec } from '../../../lab/fit/index.ts';
import { configOf } from '../configs.ts';
import type { Handlers, Hub } from '../hub.ts';
import { programOccupancy } from '../occupancy.ts';
import { modelsOf } from '../planner.ts';

export function fitRoutes(hub: Hub): Handlers<'fit'> {
  const { planner } = hub;
  return {
    'fit.report': async ({ values, recipe, prices, occupancy, ...where }): Promise<FitReport> => {
      const config = await configOf(hub.lab.registry, { values, recipe });
      const device = await planner.device(config, where);
      const models = modelsOf(hub.lab);
      const report = fitReport(config, device, { models, prices: prices ?? {}, samples: planner.samples });
      const programs = occupancy === true ? programOccupancy(config, { kind: device.kind, models }) : [];
      const { basis, explanation, stepSeconds, tokensPerSecond, seconds, evaluationSeconds } = report.time;
      return {
        ...report,
        config,
        time: { basis, explanation, stepSeconds, tokensPerSecond, seconds, evaluationSeconds },
        programs,
      };
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
