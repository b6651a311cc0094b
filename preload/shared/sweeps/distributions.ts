/** Distributions of W&B's sweep schema: the words, the fields of each, and what a field left out is. */
import type { SettingValue } from '../../contract/settings.ts';

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
