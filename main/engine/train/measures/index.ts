/** Every metric that training logs, in the order in which charts and lists show them. */
import { FAMILIES } from './families.ts';
import { specOf } from './measure.ts';
import type { Metric } from './measure.ts';
import { PROGRESS } from './progress.ts';
import { STEP } from './step.ts';
import { SYSTEM } from './system.ts';
import { VALIDATION } from './validation.ts';
import { MetricCatalog } from '../../../../preload/shared/metrics.ts';

export { defineMetric, measureAll } from './measure.ts';
export type { Metric, ProgressMoment, StepMoment } from './measure.ts';

export const METRICS: readonly Metric[] = [...VALIDATION, ...STEP, ...PROGRESS, ...SYSTEM, ...FAMILIES];

/** Their facts, and those of `more` (a plug-in's) before the families, which match almost anything. */
export function metricCatalog(more: readonly Metric[] = []): MetricCatalog {
  return new MetricCatalog([...VALIDATION, ...STEP, ...PROGRESS, ...SYSTEM, ...more, ...FAMILIES].map(specOf));
}
