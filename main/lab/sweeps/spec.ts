/** What a sweep is: the W&B sweep schema, and Sweeplab's extensions (seeds, constraints, when, recipe, settings, sweep_seed). */
import type { DraftEarlyTerminate, DraftMetric } from '../../../preload/contract/shapes.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';

export const METHODS = ['grid', 'random', 'bayes', 'custom'] as const;
export type Method = (typeof METHODS)[number];

interface Bounds {
  readonly min: number;
  readonly max: number;
}
interface Quantised {
  /** Values are round(x / q) × q. */
  readonly q: number;
}
interface Gaussian {
  readonly mu: number;
  readonly sigma: number;
}
interface Shape {
  readonly a: number;
  readonly b: number;
}

/** A distribution of W&B's schema, by its W&B name, with all defaults filled in. */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: SettingValue }
  | { readonly kind: 'categorical'; readonly values: readonly SettingValue[] }
  | {
      readonly kind: 'categorical_w_probabilities';
      readonly values: readonly SettingValue[];
      readonly probabilities: readonly number[];
    }
  | ({ readonly kind: BoundedKind } & Bounds)
  | ({ readonly kind: QuantisedBoundedKind } & Bounds & Quantised)
  | ({ readonly kind: 'normal' | 'log_normal' } & Gaussian)
  | ({ readonly kind: 'q_normal' | 'q_log_normal' } & Gaussian & Quantised)
  | ({ readonly kind: 'beta' } & Shape)
  | ({ readonly kind: 'q_beta' } & Shape & Quantised);

/** `log_uniform` and `inv_log_uniform` take natural logarithms as bounds, the `_values` forms the values themselves. */
export type BoundedKind =
  | 'int_uniform'
  | 'uniform'
  | 'log_uniform'
  | 'log_uniform_values'
  | 'inv_log_uniform'
  | 'inv_log_uniform_values';
export type QuantisedBoundedKind = 'q_uniform' | 'q_log_uniform' | 'q_log_uniform_values';

/** The fields that each distribution takes beside its name. */
export const FIELDS: Readonly<Record<Distribution['kind'], readonly string[]>> = {
  constant: ['value'],
  categorical: ['values'],
  categorical_w_probabilities: ['values', 'probabilities'],
  int_uniform: ['min', 'max'],
  uniform: ['min', 'max'],
  q_uniform: ['min', 'max', 'q'],
  log_uniform: ['min', 'max'],
  log_uniform_values: ['min', 'max'],
  q_log_uniform: ['min', 'max', 'q'],
  q_log_uniform_values: ['min', 'max', 'q'],
  inv_log_uniform: ['min', 'max'],
  inv_log_uniform_values: ['min', 'max'],
  normal: ['mu', 'sigma'],
  log_normal: ['mu', 'sigma'],
  q_normal: ['mu', 'sigma', 'q'],
  q_log_normal: ['mu', 'sigma', 'q'],
  beta: ['a', 'b'],
  q_beta: ['a', 'b', 'q'],
};

/** Fields that may be left out, with what they then are. */
export const FIELD_DEFAULTS: Readonly<Record<string, number>> = { q: 1, mu: 0, sigma: 1, a: 1, b: 1 };

export interface Parameter {
  /** Dotted name of a setting. */
  readonly name: string;
  readonly distribution: Distribution;
  /** Varied only where this expression holds; elsewhere the base value stays. */
  readonly when?: string;
  /** `file.yaml:3:5` */
  readonly where?: string;
}

export type Metric = DraftMetric;
export type EarlyTerminate = DraftEarlyTerminate;

/** What runs log that settings can be ranked by. */
export const METRICS = [
  'val/loss',
  'val/bpb',
  'val/perplexity',
  'val/accuracy',
  'val/best_loss',
  'train/loss',
  'train/accuracy',
  'grad/norm',
  'tokens_per_second',
] as const;

export interface SweepSpec {
  readonly method: Method;
  readonly name?: string;
  readonly description?: string;
  readonly metric?: Metric;
  readonly metrics?: readonly Metric[];
  readonly earlyTerminate?: EarlyTerminate;
  /** Most runs, seeds counted; settings are never left with some of their seeds. */
  readonly runCap?: number;
  readonly parameters: readonly Parameter[];
  /** Keys that only W&B acts on (program, command, project …), kept for the way back. */
  readonly wandb: Readonly<Record<string, unknown>>;
  /** The same seeds for every setting: how many (from the base seed on), or which. */
  readonly seeds?: number | readonly number[];
  /** Expressions that every run must satisfy. */
  readonly constraints: readonly string[];
  readonly recipe?: string;
  /** Settings that all runs share. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Seed of the random method. */
  readonly sweepSeed: number;
}

/** Top-level keys that are Sweeplab's and that W&B would refuse. */
export const EXTENSION_KEYS = ['seeds', 'constraints', 'recipe', 'settings', 'sweep_seed'] as const;

/** An empty sweep to build on. */
export const EMPTY_SWEEP: SweepSpec = {
  method: 'grid',
  parameters: [],
  wandb: {},
  constraints: [],
  settings: {},
  sweepSeed: 0,
};
