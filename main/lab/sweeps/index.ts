/** The public face of sweep planning. */
export { configsOf, DraftPlans, type DraftSummary, summaryOf } from './drafts.ts';
export { parseSweep, sweepToYaml } from './file.ts';
export { sweepFromFlags } from './flags.ts';
export type { Places } from './places.ts';
export { planSweep } from './plan.ts';
export { type Dropped, settingKey, type SweepPlan } from './planned.ts';
export { planSpec, type SpecOptions } from './planSpec.ts';
export { storedSweep } from './stored.ts';
