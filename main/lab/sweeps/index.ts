/** The public face of sweep planning. */
export { methodProblems } from './check.ts';
export { type FlagOptions, sweepFromFlags } from './flags.ts';
export {
  type Dropped,
  planSweep,
  type PlanInput,
  type PlannedRun,
  type PlannedSetting,
  settingKey,
  type SweepPlan,
} from './plan.ts';
export type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';
export { EMPTY_SWEEP, EXTENSION_KEYS, type Parameter, type SweepSpec } from './spec.ts';
export { type ParsedSweep, parseSweep, sweepToYaml } from './yaml.ts';
