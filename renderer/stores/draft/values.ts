/** Text that people type for a setting. Bad text is kept as it is: the plan says what is wrong with it. */
import type { DraftParameter } from '../../../preload/contract/draft.ts';
import type { SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { parseNumber, readText } from '../../../preload/shared/settings/values.ts';

/** As `parseNumber`, also with separators as they are shown, where they stand in groups of three. NaN when it is no number. */
export function typedNumber(text: string): number {
  const plain = /^[+\-−]?\d{1,3}(,\d{3})+(\.\d+)?$/u.test(text.trim()) ? text.replaceAll(',', '') : text;
  return parseNumber(plain);
}

/** One value. What cannot be read as the setting's type stays text, so that nothing typed is lost. */
export function typedValue(spec: SettingSpec, text: string): SettingValue {
  const { kind } = spec.type;
  if (kind === 'string') return readText(spec, text) ?? text;
  const trimmed = text.trim();
  if (kind !== 'int' && kind !== 'float') return readText(spec, trimmed) ?? trimmed;
  const number = typedNumber(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

export type Typed =
  | { readonly kind: 'values'; readonly values: readonly SettingValue[] }
  | { readonly kind: 'parameter'; readonly parameter: DraftParameter };

/**
 * What was typed into a setting's field: one value, several (`4, 8, 16`; numbers also with spaces between), or a range:
 * `4..12` (integers), `1e-4..1e-2` (logarithmic once it spans a factor of ten), `0.1..0.5/0.1` (in steps).
 */
export function readTyped(spec: SettingSpec, text: string): Typed {
  const { kind } = spec.type;
  const numeric = kind === 'int' || kind === 'float';
  if (numeric) {
    const range = /^\s*(\S+?)\s*(?:\.\.|…)\s*([^\s/]+)\s*(?:\/\s*(\S+))?\s*$/u.exec(text);
    const parameter = range === null ? undefined : readRange(kind, range[1], range[2], range[3]);
    if (parameter !== undefined) return { kind: 'parameter', parameter };
  }
  return { kind: 'values', values: splitValues(spec, text).map((part) => typedValue(spec, part)) };
}

function readRange(kind: 'int' | 'float', from: string, to: string, step?: string): DraftParameter | undefined {
  const [min, max] = [typedNumber(from), typedNumber(to)];
  if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined;
  if (step !== undefined) {
    const q = typedNumber(step);
    return Number.isFinite(q) && q > 0 ? { distribution: 'q_uniform', min, max, q } : undefined;
  }
  if (kind === 'int') return { distribution: 'int_uniform', min, max };
  return { distribution: min > 0 && max / min >= 10 ? 'log_uniform_values' : 'uniform', min, max };
}

function splitValues(spec: SettingSpec, text: string): string[] {
  const { kind } = spec.type;
  if (kind === 'string') return [text];
  // 1,024 is one number to those who write it as it is shown; 64,128 and 128,256,512 are lists.
  if ((kind === 'int' || kind === 'float') && /^\s*[1-9],\d{3}\s*$/u.test(text)) return [text];
  return text.split(/[,;\s]+/u).filter((part) => part !== '');
}
