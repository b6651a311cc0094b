/** What the form shows of a distribution: words for its fields, values to start from, a preview, a few words for a chip. */
import type { DraftParameter } from '../../../preload/contract/draft.ts';
import type { SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { infoOf, WEIGHTED } from '../../../preload/shared/sweeps/distributions.ts';
import type { FieldName } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionOf, kindOf } from '../../../preload/shared/sweeps/parameters.ts';
import { quantile } from '../../../preload/shared/sweeps/quantiles.ts';

export const FIELD_WORDS: Readonly<Record<FieldName, { readonly label: string; readonly help: string }>> = {
  min: { label: 'Lowest', help: 'Lower bound' },
  max: { label: 'Highest', help: 'Upper bound' },
  q: { label: 'Step', help: 'Values are multiples of it' },
  mu: { label: 'Mean', help: 'Centre (μ)' },
  sigma: { label: 'Deviation', help: 'Standard deviation (σ)' },
  a: { label: 'a', help: 'Shape: weight towards 1' },
  b: { label: 'b', help: 'Shape: weight towards 0' },
};

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

/** The value at a share `u` of the distribution, as the lab draws it. NaN while it is not one of numbers yet. */
export function previewQuantile(parameter: DraftParameter, u: number): number {
  const { distribution } = distributionOf('', parameter);
  const value = distribution === undefined ? Number.NaN : quantile(distribution, u);
  return typeof value === 'number' ? value : Number.NaN;
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
