/** The public face of sweep planning. */
export { configsOf, DraftPlans, type DraftSummary, summaryOf } from './drafts.ts';
export { type ParsedSweep, parseSweep, sweepToYaml } from './file.ts';
export { type FlagOptions, sweepFromFlags } from './flags.ts';
export type { Places } from './places.ts';
export { planSweep, type PlanInput } from './plan.ts';
export { type Dropped, type PlannedRun, type PlannedSetting, settingKey, type SweepPlan } from './planned.ts';
export { planSpec } from './planSpec.ts';
export { storedSweep } from './stored.ts';
