/** The public face of the fit check. */
export { checkAll, checkBeforeLaunch } from './before.ts';
export type { CheckedConfig, LaunchCheck, LaunchCheckOptions, Refusal } from './before.ts';
export { checkLaunch } from './launch.ts';
export type { FindDevice } from './launch.ts';
export type { DatasetSize } from './budget.ts';
export { hostDevice, hostMemory, localDevice, namedGpu, tableGpu } from './devices.ts';
export type { ComputeFacts, FitDevice, HostMemory } from './devices.ts';
export { deviceFor, NoDeviceError } from './choose.ts';
export type { DeviceChoice } from './choose.ts';
export { findGpu, gpuTable, UnknownGpuError } from './gpus.ts';
export type { GpuSpec } from './gpus.ts';
export { fitPlan, forgetPlans } from './plan.ts';
export type { FitPlan, PlanOptions } from './plan.ts';
export { fitReport } from './report.ts';
export type { FitOptions, FitReport } from './report.ts';
export { samplesFrom, speedsIn } from './samples.ts';
export type { SpeedOf } from './samples.ts';
export type { FindSamples, Sample } from './pace.ts';
export { largestMicroBatch, largestOverall } from './search.ts';
export { suggest } from './suggest.ts';
export { gibibytes, judge, marginBytes } from './verdict.ts';
export { measureTexts } from './textSizes.ts';
export { allTextWarnings, textWarnings } from './textWarnings.ts';
export { fitSweep } from './sweep.ts';
export type { SweepFit, SweepGroup, SweepSetting } from './sweep.ts';
export type {
  Cost,
  Fit,
  LargestBatch,
  LayerBytes,
  PlannedLength,
  PlannedProgram,
  Prices,
  Range,
  Suggestion,
  TimeEstimate,
  Verdict,
} from '../../../preload/contract/fit.ts';
