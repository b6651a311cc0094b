/**
 * Distributions of W&B's sweep schema: the words, the fields of each, and what a field left out is. Their inverse distribution
 * functions stand in quantiles.ts.
 */
import type { SettingSpec, SettingValue } from '../../contract/settings.ts';

interface Bounds {
  readonly min: number;
  readonly max: number;
}
interface Quantised {
  /** Values are round(x / q) × q; within the bounds of distributions that have some. */
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

/** Weights for a list of values. */
export const WEIGHTED = 'categorical_w_probabilities';

/** All but lists of values. */
export type NumericKind = Exclude<Distribution['kind'], 'constant' | 'categorical' | typeof WEIGHTED>;

/** A field of a distribution of numbers. */
export type FieldName = 'min' | 'max' | 'q' | 'mu' | 'sigma' | 'a' | 'b';

export interface DistributionInfo {
  /** As W&B names it. */
  readonly kind: NumericKind;
  readonly label: string;
  /** When to take it. */
  readonly help: string;
  /** What it takes beside its name. */
  readonly fields: readonly FieldName[];
  /** Group in the menu. */
  readonly group: 'Range' | 'Logarithmic' | 'Bell-shaped' | 'Share';
  /** A grid can list its values. */
  readonly grid?: boolean;
  /** Gives integers: with an integer `q` where it has one. */
  readonly integers: 'always' | 'with q' | 'never';
  /** Bounds are natural logarithms of the values. */
  readonly exponents?: boolean;
  /** Seldom the best choice; shown last. */
  readonly rare?: boolean;
}

/** The distributions of numbers, in the order of a menu. The compiler says when one is missing. */
const NUMERIC: Readonly<Record<NumericKind, Omit<DistributionInfo, 'kind'>>> = {
  int_uniform: {
    label: 'Integers',
    group: 'Range',
    fields: ['min', 'max'],
    integers: 'always',
    grid: true,
    help: 'Every integer from the lowest to the highest, all equally likely. A grid takes each once.',
  },
  uniform: {
    label: 'Even',
    group: 'Range',
    fields: ['min', 'max'],
    integers: 'never',
    help: 'Any number between the bounds, all equally likely.',
  },
  q_uniform: {
    label: 'Even, in steps',
    group: 'Range',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    grid: true,
    help: 'Multiples of a step, never outside of the bounds. A grid goes from the lowest in steps and leaves the highest out.',
  },
  log_uniform_values: {
    label: 'Logarithmic',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    help: 'Every order of magnitude equally likely. The usual choice for learning rates and weight decay.',
  },
  q_log_uniform_values: {
    label: 'Logarithmic, in steps',
    group: 'Logarithmic',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    help: 'Every order of magnitude equally likely, rounded to a step, never outside of the bounds. For widths and batch sizes.',
  },
  inv_log_uniform_values: {
    label: 'Inverse logarithmic',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    rare: true,
    help: 'The inverse of a logarithmic draw; between bounds given as values it equals the logarithmic one.',
  },
  normal: {
    label: 'Normal',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma'],
    integers: 'never',
    help: 'Around a mean; two thirds lie within one standard deviation.',
  },
  q_normal: {
    label: 'Normal, in steps',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma', 'q'],
    integers: 'with q',
    help: 'Around a mean, rounded to a step.',
  },
  log_normal: {
    label: 'Log-normal',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma'],
    integers: 'never',
    help: 'The logarithm is normal: mean and deviation are those of ln(value).',
  },
  q_log_normal: {
    label: 'Log-normal, in steps',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma', 'q'],
    integers: 'with q',
    help: 'The logarithm is normal; values are rounded to a step.',
  },
  beta: {
    label: 'Beta',
    group: 'Share',
    fields: ['a', 'b'],
    integers: 'never',
    help: 'A share between 0 and 1: even for a = b = 1, near 0 for a < b, near 1 for a > b.',
  },
  q_beta: {
    label: 'Beta, in steps',
    group: 'Share',
    fields: ['a', 'b', 'q'],
    integers: 'with q',
    help: 'A share between 0 and 1, rounded to a step.',
  },
  log_uniform: {
    label: 'Logarithmic, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    exponents: true,
    rare: true,
    help: 'W&B’s log_uniform: the bounds are natural logarithms, so −9.21 to −4.61 means 0.0001 to 0.01.',
  },
  q_log_uniform: {
    label: 'Logarithmic in steps, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    exponents: true,
    rare: true,
    help: 'As above, rounded to a step. The bounds are natural logarithms.',
  },
  inv_log_uniform: {
    label: 'Inverse logarithmic, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    exponents: true,
    rare: true,
    help: 'W&B’s inv_log_uniform: the bounds are natural logarithms of 1/value.',
  },
};

const DISTRIBUTIONS: readonly DistributionInfo[] = Object.entries(NUMERIC).map(([kind, info]) => ({
  kind: kind as NumericKind,
  ...info,
}));

/** The fields that each distribution takes beside its name. */
export const FIELDS: Readonly<Record<Distribution['kind'], readonly string[]>> = {
  constant: ['value'],
  categorical: ['values'],
  [WEIGHTED]: ['values', 'probabilities'],
  ...(Object.fromEntries(DISTRIBUTIONS.map(({ kind, fields }) => [kind, fields])) as Record<NumericKind, FieldName[]>),
};

/** Fields that may be left out, with what they then are. */
export const FIELD_DEFAULTS: Readonly<Record<string, number>> = { q: 1, mu: 0, sigma: 1, a: 1, b: 1 };

export const infoOf = (kind: string | undefined): DistributionInfo | undefined =>
  DISTRIBUTIONS.find((each) => each.kind === kind);

/** Those that suit a setting: integers need integers, other types only lists. */
export function distributionsFor(spec: SettingSpec): readonly DistributionInfo[] {
  const { kind } = spec.type;
  if (kind === 'float') return DISTRIBUTIONS.filter((each) => each.integers !== 'always');
  if (kind === 'int') return DISTRIBUTIONS.filter((each) => each.integers !== 'never');
  return [];
}
