/** What the stages of a planned run say about its batches. */
import type { PlannedStage } from '../contract/fit.ts';

/** Whether a batch always has as many sequences, so that a number of them divides it. */
export const isSteady = (stages: readonly Pick<PlannedStage, 'sequences'>[]): boolean =>
  new Set(stages.map(({ sequences }) => sequences)).size === 1;
