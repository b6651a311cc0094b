/** Every metric that training logs, in the order in which charts and lists show them. */
import { MetricCatalog } from '../../../../preload/shared/metrics.ts';
import { BUILT_IN, KINDS_HERE } from '../../kind.ts';
import type { Family, Kinds } from '../../kind.ts';
import { DIAGNOSED } from './diagnostics.ts';
import { BATCH } from './batch.ts';
import { EXPERTS } from './experts.ts';
import { FAMILIES } from './families.ts';
import { specOf } from './measure.ts';
import type { Metric } from './measure.ts';
import { PROGRESS } from './progress.ts';
import { STEP } from './step.ts';
import { SYSTEM } from './system.ts';
import { VALIDATION } from './validation.ts';

export { defineMetric, measureAll } from './measure.ts';
export type { Metric, StepMoment } from './measure.ts';

/** All of them are measured, so no setting chooses one. */
export const metricFamily: Family<Metric> = {
  name: 'metric',
  shared: [KINDS_HERE],
  kinds: [...VALIDATION, ...STEP, ...BATCH, ...EXPERTS, ...DIAGNOSED, ...PROGRESS, ...SYSTEM],
};

/** Their facts, plug-ins' included, before what names alone tell, which matches almost anything. */
export function metricCatalog(kinds: Kinds = BUILT_IN): MetricCatalog {
  return new MetricCatalog([...kinds.all(metricFamily).map(specOf), ...FAMILIES]);
}
