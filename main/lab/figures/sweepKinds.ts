/** Charts of the settings of a sweep; apart, so that flags are known without what draws them. */
export const SWEEP_KINDS = ['trend', 'parallel', 'pareto', 'heat'] as const;
export type SweepKind = (typeof SWEEP_KINDS)[number];
