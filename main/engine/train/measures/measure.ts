/** How a metric is declared: what it is, and how it is measured, in one place. */
import type { MetricSpec } from '../../../../preload/shared/metrics.ts';
import type { EvaluationResult } from '../evaluate.ts';
import type { StepResult } from '../runtime.ts';
import type { Counters } from '../stopRules.ts';

/** An optimizer step that is logged. */
export interface StepMoment {
  readonly result: StepResult;
  /** After the step, and when the step before it was logged. */
  readonly counters: Counters;
  readonly before: Counters;
  /** Learning rate of the step, before the multiples of groups. */
  readonly lr: number;
}

/** How far the run is: beside every step that is logged and every evaluation. */
export interface ProgressMoment {
  readonly counters: Counters;
  readonly sequencesPerEpoch: number;
}

/** One of them, or none for a metric that is computed elsewhere (the summary's, a plug-in's, imported ones). */
export interface Measures {
  readonly ofStep?: (moment: StepMoment) => number;
  readonly ofProgress?: (moment: ProgressMoment) => number;
  readonly ofEvaluation?: (result: EvaluationResult) => number;
}

export interface Metric extends MetricSpec, Measures {}

export function defineMetric(metric: Metric): Metric {
  return metric;
}

/** The facts alone, which can be sent. */
export function specOf({
  ofStep: _step,
  ofProgress: _progress,
  ofEvaluation: _evaluation,
  ...spec
}: Metric): MetricSpec {
  return spec;
}

/** The values of all metrics that are measured at such a moment. */
export function measureAll<K extends keyof Measures>(
  metrics: readonly Metric[],
  kind: K,
  moment: Parameters<NonNullable<Measures[K]>>[0],
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const metric of metrics) {
    const measure = metric[kind] as ((moment: unknown) => number) | undefined;
    if (measure !== undefined) values[metric.name] = measure(moment);
  }
  return values;
}
