/** The distributions of the W&B sweep schema in words, with the fields that each takes. */
import type { SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { DraftParameter } from './types.ts';

export type FieldName = 'min' | 'max' | 'q' | 'mu' | 'sigma' | 'a' | 'b';

export interface DistributionInfo {
  /** As W&B names it. */
  readonly kind: string;
  readonly label: string;
  /** When to take it. */
  readonly help: string;
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

export const DISTRIBUTIONS: readonly DistributionInfo[] = [
  {
    kind: 'int_uniform',
    label: 'Integers',
    group: 'Range',
    fields: ['min', 'max'],
    integers: 'always',
    grid: true,
    help: 'Every integer from the lowest to the highest, all equally likely. A grid takes each once.',
  },
  {
    kind: 'uniform',
    label: 'Even',
    group: 'Range',
    fields: ['min', 'max'],
    integers: 'never',
    help: 'Any number between the bounds, all equally likely.',
  },
  {
    kind: 'q_uniform',
    label: 'Even, in steps',
    group: 'Range',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    grid: true,
    help: 'Multiples of a step between the bounds. A grid goes from the lowest in steps and leaves the highest out.',
  },
  {
    kind: 'log_uniform_values',
    label: 'Logarithmic',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    help: 'Every order of magnitude equally likely. The usual choice for learning rates and weight decay.',
  },
  {
    kind: 'q_log_uniform_values',
    label: 'Logarithmic, in steps',
    group: 'Logarithmic',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    help: 'Every order of magnitude equally likely, rounded to a step. For widths and batch sizes.',
  },
  {
    kind: 'inv_log_uniform_values',
    label: 'Inverse logarithmic',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    rare: true,
    help: 'The inverse of a logarithmic draw; between bounds given as values it equals the logarithmic one.',
  },
  {
    kind: 'normal',
    label: 'Normal',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma'],
    integers: 'never',
    help: 'Around a mean; two thirds lie within one standard deviation.',
  },
  {
    kind: 'q_normal',
    label: 'Normal, in steps',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma', 'q'],
    integers: 'with q',
    help: 'Around a mean, rounded to a step.',
  },
  {
    kind: 'log_normal',
    label: 'Log-normal',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma'],
    integers: 'never',
    help: 'The logarithm is normal: mean and deviation are those of ln(value).',
  },
  {
    kind: 'q_log_normal',
    label: 'Log-normal, in steps',
    group: 'Bell-shaped',
    fields: ['mu', 'sigma', 'q'],
    integers: 'with q',
    help: 'The logarithm is normal; values are rounded to a step.',
  },
  {
    kind: 'beta',
    label: 'Beta',
    group: 'Share',
    fields: ['a', 'b'],
    integers: 'never',
    help: 'A share between 0 and 1: even for a = b = 1, near 0 for a < b, near 1 for a > b.',
  },
  {
    kind: 'q_beta',
    label: 'Beta, in steps',
    group: 'Share',
    fields: ['a', 'b', 'q'],
    integers: 'with q',
    help: 'A share between 0 and 1, rounded to a step.',
  },
  {
    kind: 'log_uniform',
    label: 'Logarithmic, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    exponents: true,
    rare: true,
    help: 'W&B’s log_uniform: the bounds are natural logarithms, so −9.21 to −4.61 means 0.0001 to 0.01.',
  },
  {
    kind: 'q_log_uniform',
    label: 'Logarithmic in steps, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max', 'q'],
    integers: 'with q',
    exponents: true,
    rare: true,
    help: 'As above, rounded to a step. The bounds are natural logarithms.',
  },
  {
    kind: 'inv_log_uniform',
    label: 'Inverse logarithmic, by exponents',
    group: 'Logarithmic',
    fields: ['min', 'max'],
    integers: 'never',
    exponents: true,
    rare: true,
    help: 'W&B’s inv_log_uniform: the bounds are natural logarithms of 1/value.',
  },
];

/** Weights for a list of values: the one distribution that is not of numbers. */
export const WEIGHTED = 'categorical_w_probabilities';

export const FIELD_WORDS: Readonly<Record<FieldName, { readonly label: string; readonly help: string }>> = {
  min: { label: 'Lowest', help: 'Lower bound' },
  max: { label: 'Highest', help: 'Upper bound' },
  q: { label: 'Step', help: 'Values are multiples of it' },
  mu: { label: 'Mean', help: 'Centre (μ)' },
  sigma: { label: 'Deviation', help: 'Standard deviation (σ)' },
  a: { label: 'a', help: 'Shape: weight towards 1' },
  b: { label: 'b', help: 'Shape: weight towards 0' },
};

export const infoOf = (kind: string | undefined): DistributionInfo | undefined =>
  DISTRIBUTIONS.find((each) => each.kind === kind);

/** The W&B inference for parameters that name no distribution. */
export function kindOf(parameter: DraftParameter): string {
  if (parameter.distribution !== undefined) return parameter.distribution;
  if (parameter.value !== undefined) return 'constant';
  if (parameter.values !== undefined) return parameter.probabilities === undefined ? 'categorical' : WEIGHTED;
  return Number.isInteger(parameter.min) && Number.isInteger(parameter.max) ? 'int_uniform' : 'uniform';
}

/** Those that suit a setting: integers need integers, other types only lists. */
export function distributionsFor(spec: SettingSpec): readonly DistributionInfo[] {
  const { kind } = spec.type;
  if (kind === 'float') return DISTRIBUTIONS.filter((each) => each.integers !== 'always');
  if (kind === 'int') return DISTRIBUTIONS.filter((each) => each.integers !== 'never');
  return [];
}

const tidy = (value: number): number => Number(value.toPrecision(4));

/** A distribution of this kind that starts from the values there are: their range, or a factor of two around the only one. */
export function distributionFrom(spec: SettingSpec, kind: string, values: readonly SettingValue[]): DraftParameter {
  const info = infoOf(kind);
  const numbers = values.filter((value) => typeof value === 'number');
  const { type } = spec;
  const whole = type.kind === 'int';
  const [least, most] =
    type.kind === 'int' || type.kind === 'float'
      ? [type.min ?? -Infinity, type.max ?? Infinity]
      : [-Infinity, Infinity];
  const fallback = typeof spec.default === 'number' && spec.default !== 0 ? spec.default : 1;
  const known = numbers.length > 0 ? numbers : [fallback];
  let [min, max] = [Math.min(...known), Math.max(...known)];
  if (min === max) {
    const factor = info?.group === 'Logarithmic' ? (whole ? 2 : 10) : 2;
    [min, max] = min === 0 ? [0, 1] : [min / factor, max * factor];
    if (min > max) [min, max] = [max, min];
  }
  if (info?.group === 'Logarithmic' && min <= 0) min = max > 1 ? 1 : max / 100;
  [min, max] = [Math.max(min, least), Math.min(max, most)];
  if (whole) [min, max] = [Math.floor(min), Math.ceil(max)];
  const q = whole ? Math.max(1, type.kind === 'int' ? (type.multipleOf ?? 1) : 1) : tidy((max - min) / 10 || 0.1);
  const middle = known.reduce((sum, value) => sum + value, 0) / known.length;
  const values_: Record<FieldName, number> = {
    min: info?.exponents === true ? tidy(Math.log(kind === 'inv_log_uniform' ? 1 / max : min)) : tidy(min),
    max: info?.exponents === true ? tidy(Math.log(kind === 'inv_log_uniform' ? 1 / min : max)) : tidy(max),
    q,
    mu: kind.includes('log_normal') ? tidy(Math.log(Math.abs(middle) || 1)) : tidy(middle),
    sigma: kind.includes('log_normal') ? 0.5 : tidy(Math.max((max - min) / 4, whole ? 1 : 0) || 1),
    a: 2,
    b: 2,
  };
  const fields = Object.fromEntries((info?.fields ?? []).map((field) => [field, values_[field]]));
  return { distribution: kind, ...fields };
}

const round = (value: number, q: number | undefined): number =>
  q === undefined ? value : Number((Math.round(value / q) * q).toPrecision(12));

/** Acklam's approximation of the inverse normal distribution, error below 1.2e-9: enough for a preview. */
function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const horner = (k: readonly number[], x: number): number => k.reduce((sum, each) => sum * x + each, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return horner(c, q) / (horner(d, q) * q + 1);
  }
  if (p > 1 - 0.02425) return -normalQuantile(1 - p);
  const q = p - 0.5;
  const r = q * q;
  return (horner(a, r) * q) / (horner(b, r) * r + 1);
}

/** Inverse of the beta distribution by summing its density on a grid: enough for a preview. */
function betaQuantile(p: number, a: number, b: number): number {
  const points = 400;
  const weights = Array.from({ length: points }, (_, i) => {
    const x = (i + 0.5) / points;
    return x ** (a - 1) * (1 - x) ** (b - 1);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (const [i, weight] of weights.entries()) {
    sum += weight / total;
    if (sum >= p) return (i + 0.5) / points;
  }
  return 1;
}

/** The value at a share `u` of the distribution, for previews (the lab draws its own, exactly). NaN where fields are missing. */
export function previewQuantile(parameter: DraftParameter, u: number): number {
  const { min = Number.NaN, max = Number.NaN, mu = 0, sigma = 1, a = 1, b = 1 } = parameter;
  const kind = kindOf(parameter);
  const q = kind.startsWith('q_') ? (parameter.q ?? 1) : undefined;
  switch (kind.replace(/^q_/u, '')) {
    case 'int_uniform':
      return Math.min(max, min + Math.floor(u * (max - min + 1)));
    case 'uniform':
      return round(min + u * (max - min), q);
    case 'log_uniform_values':
    case 'inv_log_uniform_values':
      return min > 0 ? round(min * (max / min) ** u, q) : Number.NaN;
    case 'log_uniform':
      return round(Math.exp(min + u * (max - min)), q);
    case 'inv_log_uniform':
      return Math.exp(-(min + (1 - u) * (max - min)));
    case 'normal':
      return round(mu + sigma * normalQuantile(u), q);
    case 'log_normal':
      return round(Math.exp(mu + sigma * normalQuantile(u)), q);
    case 'beta':
      return round(betaQuantile(u, a, b), q);
    default:
      return Number.NaN;
  }
}

/** Five typical values: what nine of ten draws lie between, and three within. */
export function previewValues(parameter: DraftParameter): number[] {
  return [...new Set([0.05, 0.275, 0.5, 0.725, 0.95].map((u) => Number(previewQuantile(parameter, u).toPrecision(3))))];
}

/** Few words for a chip: `0.0001 … 0.01, logarithmic`. */
export function summarise(parameter: DraftParameter): { readonly range: string; readonly what: string } {
  const kind = kindOf(parameter);
  const info = infoOf(kind);
  const number = (value: number | undefined): string =>
    value === undefined ? '?' : String(Number(value.toPrecision(6))).replace(/^-/u, '−');
  if (kind === WEIGHTED) return { range: (parameter.values ?? []).map(String).join(', '), what: 'weighted' };
  if (info === undefined) return { range: kind, what: '' };
  const what = info.label.toLowerCase().replace(/, in steps$/u, `, steps of ${number(parameter.q ?? 1)}`);
  if (info.fields.includes('min')) {
    const low =
      info.exponents === true
        ? previewQuantile({ ...parameter, q: undefined, distribution: kind.replace(/^q_/u, '') }, 0)
        : parameter.min;
    const high =
      info.exponents === true
        ? previewQuantile({ ...parameter, q: undefined, distribution: kind.replace(/^q_/u, '') }, 1)
        : parameter.max;
    const cut = (value: number | undefined): string =>
      info.exponents === true && value !== undefined ? number(Number(value.toPrecision(3))) : number(value);
    return { range: `${cut(low)} … ${cut(high)}`, what };
  }
  if (info.fields.includes('mu'))
    return { range: `${number(parameter.mu ?? 0)} ± ${number(parameter.sigma ?? 1)}`, what };
  return { range: `a ${number(parameter.a ?? 1)}, b ${number(parameter.b ?? 1)}`, what };
}
