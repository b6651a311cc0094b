/** The next value up or down that people would try. */
import type { SettingSpec } from '../../../../preload/contract/settings.ts';

const SERIES = [1, 2, 5, 10];

/**
 * Integers move by one, or by the setting's own unit; from 32 on by an eighth of their power of two (64 → 72 → 80, 512 → 576).
 * Other numbers go along 1, 2, 5, 10, … and shares of at most 1 in tenths.
 */
export function nudge(spec: SettingSpec, value: number, by: 1 | -1): number {
  const { type } = spec;
  if (type.kind === 'int') {
    const unit =
      type.multipleOf ?? (Math.abs(value) < 32 ? 1 : 2 ** Math.floor(Math.log2(by > 0 ? value : value - 1)) / 8);
    return clamp(spec, by > 0 ? Math.floor(value / unit) * unit + unit : Math.ceil(value / unit) * unit - unit);
  }
  if (value === 0) return clamp(spec, by * 0.1);
  if (type.kind === 'float' && type.min === 0 && type.max === 1 && Math.abs(value) >= 0.1) {
    return clamp(spec, Number((Math.round(value * 10 + by) / 10).toPrecision(3)));
  }
  const size = Math.abs(value);
  const exponent = Math.floor(Math.log10(size) + 1e-12);
  const mantissa = size / 10 ** exponent;
  const up = by > 0 === value > 0;
  const next = up
    ? SERIES.find((each) => each > mantissa * (1 + 1e-9))!
    : ([...SERIES].reverse().find((each) => each < mantissa * (1 - 1e-9)) ?? 0.5);
  return clamp(spec, Number((Math.sign(value) * next * 10 ** exponent).toPrecision(6)));
}

function clamp(spec: SettingSpec, value: number): number {
  const { type } = spec;
  if (type.kind !== 'int' && type.kind !== 'float') return value;
  return Math.min(Math.max(value, type.min ?? -Infinity), type.max ?? Infinity);
}
