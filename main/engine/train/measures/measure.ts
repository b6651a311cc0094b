/** How a metric is declared: what it is, and how it is measured, in one place. Plug-ins declare theirs with the same function. */
import { patternOf } from '../../../../preload/shared/metrics.ts';
import type { MetricSpec } from '../../../../preload/shared/metrics.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { StepBatch } from '../batches.ts';
import type { EvaluationResult } from '../evaluate.ts';
import type { StepResult } from '../runtime.ts';
import type { Counters } from '../stopRules.ts';

/** An optimizer step that is logged. */
export interface StepMoment {
  /** The complete configuration of the run. */
  readonly config: Config;
  /** Mean loss, accuracy, length of the gradient, scored tokens. */
  readonly result: StepResult;
  /** After the step, and when the step before it was logged. */
  readonly counters: Counters;
  readonly before: Counters;
  /** Tokens of its sequences, how many there were, in how many micro-batches. Null where they are the same in every step. */
  readonly batch: Pick<StepBatch, 'length' | 'sequences' | 'micros'> | null;
  /** Learning rate of the step, before the multiples of groups. */
  readonly lr: number;
  /** Learning rates of the groups of parameters that have one of their own. */
  readonly rates: Readonly<Record<string, number>>;
  /** Weight decay of the groups, and momentum of the rules, where they move. */
  readonly decays: Readonly<Record<string, number>>;
  readonly momenta: Readonly<Record<string, number>>;
  /** ‖Δw‖ ÷ ‖w‖ by role of the parameters at the first logged step after each evaluation; empty at others. */
  readonly updates: Readonly<Record<string, number>>;
}

/** How far the run is: beside every step that is logged and every evaluation. */
export interface ProgressMoment {
  readonly config: Config;
  readonly counters: Counters;
  /** Passes over each text of a mixture; empty without one. */
  readonly epochsOfTexts: Readonly<Record<string, number>>;
}

/** An evaluation of the held-out text. */
export interface EvaluationMoment {
  readonly config: Config;
  /** Loss, bits per byte, accuracy, coverage, scored tokens. */
  readonly result: EvaluationResult;
  /** The same for the average of the weights, where the run keeps one. */
  readonly average?: EvaluationResult | undefined;
  readonly counters: Counters;
}

/** One value, or null for none at this moment; or, for a metric whose name is a pattern (`layer/*`), a value for each name that it measures. */
export type Measured = number | null | Readonly<Record<string, number>>;

/** One of them, or none for a metric that is computed elsewhere (the summary's, imported ones). A measure may not keep state: a run goes
 * on in another process. */
export interface Measures {
  readonly ofStep?: (moment: StepMoment) => Measured;
  readonly ofProgress?: (moment: ProgressMoment) => Measured;
  readonly ofEvaluation?: (moment: EvaluationMoment) => Measured;
}

export interface Metric extends MetricSpec, Measures, Omit<Kind, 'help' | 'name'> {}

const MEASURES: readonly (keyof Measures)[] = ['ofStep', 'ofProgress', 'ofEvaluation'];

const define = definer<Metric>('metric', [], {
  names: { pattern: /^[A-Za-z_*][\w./*-]*$/u, words: 'as it is logged, such as train/my_number' },
});

/** @throws DeclarationError naming metric and field */
export function defineMetric(metric: Declared<Metric>): Metric {
  const fail = (what: string): never => {
    throw new DeclarationError(`metric ${String(metric.name)}: ${what}`);
  };
  if (typeof metric.unit !== 'string') fail('unit is missing: text, empty for a number without one');
  if (typeof metric.section !== 'string') fail('section is missing: the heading of its chart, such as train');
  if (metric.better !== undefined && metric.better !== 'lower' && metric.better !== 'higher')
    fail(`better is ${JSON.stringify(metric.better)}; allowed: lower, higher, or nothing`);
  for (const measure of MEASURES)
    if (metric[measure] !== undefined && typeof metric[measure] !== 'function') fail(`${measure} must be a function`);
  return define(metric);
}

/** What belongs to the kind, and cannot be sent. */
const OF_THE_KIND: ReadonlySet<string> = new Set([
  ...MEASURES,
  ...(['family', 'settings', 'reads', 'uses', 'matches', 'rules', 'derived'] satisfies (keyof Kind)[]),
]);

/** The facts alone, which can be sent. */
export function specOf(metric: Metric): MetricSpec {
  return Object.fromEntries(Object.entries(metric).filter(([name]) => !OF_THE_KIND.has(name))) as unknown as MetricSpec;
}

/** The values of all metrics that are measured at such a moment. @throws DeclarationError for a measure that gives something else than a number */
export function measureAll<K extends keyof Measures>(
  metrics: readonly Metric[],
  kind: K,
  moment: Parameters<NonNullable<Measures[K]>>[0],
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const metric of metrics) {
    const measure = metric[kind] as ((moment: unknown) => Measured) | undefined;
    if (measure === undefined) continue;
    const found = measure.call(metric, moment);
    if (found === null) continue;
    if (typeof found === 'number') values[metric.name] = found;
    else Object.assign(values, numbersOf(metric, kind, found));
  }
  return values;
}

/** What a family measured, checked: a name beyond its pattern would be shown with another metric's facts. */
function numbersOf(metric: Metric, kind: keyof Measures, found: unknown): Readonly<Record<string, number>> {
  const named = Object.entries(found ?? {});
  if (typeof found !== 'object' || found === null || !metric.name.includes('*'))
    throw new DeclarationError(`metric ${metric.name}: ${kind} gives ${JSON.stringify(found)}; allowed: a number`);
  const pattern = patternOf(metric.name);
  for (const [name, value] of named)
    if (!pattern.test(name) || typeof value !== 'number')
      throw new DeclarationError(
        `metric ${metric.name}: ${kind} gives ${JSON.stringify(value)} for ${JSON.stringify(name)}; allowed: numbers under names that match`,
      );
  return found as Readonly<Record<string, number>>;
}
