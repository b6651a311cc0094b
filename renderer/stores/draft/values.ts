/** Text that people type for a setting, and back. Bad text is kept as it is: the plan says what is wrong with it. */
import type { SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { DraftParameter } from './types.ts';

const NUMBER = /^([+\-−]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kKMGB]?)$/iu;
const SUFFIX: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, b: 1e9 };
const YES = new Set(['true', 'yes', 'on']);
const NO = new Set(['false', 'no', 'off']);

/** `10k`, `2M`, `1.5G`, `1_000`, `3e-4`; suffixes are decimal. NaN when it is not a number. */
export function parseNumber(text: string): number {
  // Thousands separators as they are shown: only where they stand in groups of three.
  const plain = /^[+\-−]?\d{1,3}(,\d{3})+(\.\d+)?$/u.test(text.trim()) ? text.replaceAll(',', '') : text;
  const match = NUMBER.exec(plain.trim());
  if (match === null) return Number.NaN;
  const scaled = Number(match[1].replaceAll('_', '').replace('−', '-')) * SUFFIX[match[2].toLowerCase()];
  const whole = Math.round(scaled);
  // 1.1M is 1100000.0000000002 in floating point.
  return match[2] !== '' && Math.abs(scaled - whole) <= 1e-9 * Math.abs(whole) ? whole : scaled;
}

/** One value. What cannot be read as the setting's type stays text, so that nothing typed is lost. */
export function parseValue(spec: SettingSpec, text: string): SettingValue {
  const trimmed = text.trim();
  switch (spec.type.kind) {
    case 'int':
    case 'float': {
      const number = parseNumber(trimmed);
      return Number.isFinite(number) ? number : trimmed;
    }
    case 'bool': {
      const word = trimmed.toLowerCase();
      return YES.has(word) ? true : NO.has(word) ? false : trimmed;
    }
    case 'enum':
      return trimmed;
    case 'string':
      return unescape(text);
  }
}

/** Line breaks and tabs of separators are typed and shown as `\n` and `\t`. */
function unescape(text: string): string {
  return text.replaceAll(/\\([nt\\])/gu, (_, letter: string) => (letter === 'n' ? '\n' : letter === 't' ? '\t' : '\\'));
}

/** The text that `parseValue` reads back as this value. */
export function editText(value: SettingValue): string {
  if (typeof value === 'string') {
    return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  }
  return String(value);
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
  return { kind: 'values', values: splitValues(spec, text).map((part) => parseValue(spec, part)) };
}

function readRange(kind: 'int' | 'float', from: string, to: string, step?: string): DraftParameter | undefined {
  const [min, max] = [parseNumber(from), parseNumber(to)];
  if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined;
  if (step !== undefined) {
    const q = parseNumber(step);
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
