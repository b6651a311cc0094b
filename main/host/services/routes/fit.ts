import type { Config } from '../../../../preload/contract/settings.ts';
import type { FitReport, GpuInfo } from '../../../../preload/contract/shapes.ts';
import { deviceFor, findGpu, fitReport, gpuTable, installedGpus, samplesFrom } from '../../../lab/fit/index.ts';
import type { FindSamples, FitDevice, GpuSpec } from '../../../lab/fit/index.ts';
import { configOf } from '../configs.ts';
import type { Handlers, Hub } from '../hub.ts';
import { programOccupancy } from '../occupancy.ts';

export interface Where {
  readonly device?: string | undefined;
  readonly gpu?: string | undefined;
}

export const findDevice = (config: Config, { device, gpu }: Where): Promise<FitDevice> =>
  deviceFor(config, { ...(device === undefined ? {} : { device }), ...(gpu === undefined ? {} : { gpu }) });

export const pluginModels = ({ lab }: Hub) => lab.plugins.flatMap((plugin) => Object.values(plugin.models));

/** Speeds of the runs of this lab. */
export const samplesOf = ({ lab }: Hub): FindSamples => samplesFrom(() => lab.store.listRuns());

export function fitRoutes(hub: Hub): Handlers<'fit'> {
  return {
    'fit.report': async ({ values, recipe, prices, occupancy, ...where }): Promise<FitReport> => {
      const config = await configOf(hub.lab.registry, { values, recipe });
      const device = await findDevice(config, where);
      const models = pluginModels(hub);
      const report = fitReport(config, device, { models, prices: prices ?? {}, samples: samplesOf(hub) });
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
      const installed = (await installedGpus()).flatMap(({ name }): GpuSpec[] => {
        try {
          return [findGpu(name)];
        } catch {
          return [];
        }
      });
      return { gpus: gpuTable().map((gpu) => gpuInfo(gpu, installed.includes(gpu))) };
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
