/** Reading and checking single values against their declaration. */
import type {
  OtherChoice,
  Problem,
  SettingProblem,
  SettingSpec,
  SettingType,
  SettingValue,
} from '../../contract/settings.ts';
import { nearestName } from './nearest.ts';

/** A value for a message: text in quotes, nothing cut short but very long text. */
export function showValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value === null || value === undefined) return 'empty';
  const text = Array.isArray(value) ? showList(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** As JSON, which has no NaN and no infinity. Of a long list no more than gets shown. */
const showList = (list: readonly unknown[]): string => `[${list.slice(0, 80).map(showValue).join(',')}]`;

function range(type: { min?: number; max?: number; exclusiveMin?: boolean; exclusiveMax?: boolean }): string {
  const { min, max } = type;
  if (min !== undefined && max !== undefined && !type.exclusiveMin && !type.exclusiveMax)
    return ` from ${min} to ${max}`;
  const low = min === undefined ? '' : type.exclusiveMin ? ` above ${min}` : ` at least ${min}`;
  const high = max === undefined ? '' : type.exclusiveMax ? ` below ${max}` : ` at most ${max}`;
  return low && high ? `${low} and${high}` : low + high;
}

/** A choice for one of several, as an example. */
const numberedWords = ({ numbered = [] }: { readonly numbered?: readonly string[] }): string =>
  numbered.map((name) => `, or ${name}:0, ${name}:1 … for one of several`).join('');

/** Whether a choice is among those that a type allows. */
export const isChoice = (
  { values, numbered = [] }: { readonly values: readonly string[]; readonly numbered?: readonly string[] },
  value: string,
): boolean =>
  values.includes(value) ||
  (/:(?:0|[1-9]\d?)$/u.test(value) && numbered.includes(value.slice(0, value.lastIndexOf(':'))));

/** The nearest choice; of one with a number that cannot have any, the choice without. */
const nearestChoice = (
  { values, numbered }: { readonly values: readonly string[]; readonly numbered?: readonly string[] },
  value: string,
): string | undefined =>
  nearestName(value, values) ?? (numbered === undefined ? undefined : nearestName(value.replace(/:.*$/su, ''), values));

/** What a type allows, in words: `an integer from 1 to 512`. */
export function describeType(type: SettingType): string {
  switch (type.kind) {
    case 'int':
      return `an integer${range(type)}${type.multipleOf ? `, a multiple of ${type.multipleOf}` : ''}`;
    case 'float':
      return `a number${range(type)}`;
    case 'bool':
      return 'true or false';
    case 'enum':
      return `one of ${type.values.join(', ')}${numberedWords(type)}`;
    case 'string':
      return type.patternHelp ?? (type.pattern ? `text that matches ${type.pattern}` : 'text');
  }
}

/** Why something is wrong, in words; or what is broken and the numbers that break it, apart. */
export type Why = string | { readonly rule: string; readonly numbers: string };

/**
 * A problem in words, from its fields: `model.heads is 7 (model.width % model.heads: 64 % 7 = 1); allowed: …; nearest: 8`. Without
 * the name of its setting, or the nearest choice, for where they stand beside it.
 */
export function problemText(
  { setting, value, why, allowed, choices = [], nearest, others = [] }: Omit<SettingProblem, 'message'>,
  say: { readonly name: boolean; readonly nearest: boolean } = { name: true, nearest: true },
): string {
  const what = `${say.name ? `${setting} is ` : ''}${showValue(value)}${why === undefined ? '' : ` (${why})`}`;
  const shown = (choice: SettingValue): string =>
    typeof choice === 'string' && choice !== '' ? choice : showValue(choice);
  const list = choices.length > 0 ? `: ${choices.map(shown).join(', ')}` : '';
  const instead = [
    ...(nearest === undefined ? [] : [shown(nearest)]),
    ...others.map((other) => `${other.setting} ${shown(other.nearest)}`),
  ];
  const end = say.nearest && instead.length > 0 ? `; nearest: ${instead.join(', or ')}` : '';
  return `${what}; allowed: ${allowed}${list}${end}`;
}

/** A message with its place in front, as editors open it. */
export const located = ({ where, message }: { readonly where?: string; readonly message: string }): string =>
  where === undefined ? message : `${where}: ${message}`;

/** One line for each problem with its place, and one for those beyond the first `most`. */
export const toldProblems = (problems: readonly Problem[], most: number): string[] => [
  ...problems.slice(0, most).map(located),
  ...(problems.length > most ? [`… and ${problems.length - most} more`] : []),
];

/** Builds the problem with its whole message. `why` adds a reason (the numbers of a combination), `others` other ways out, `choices` all there are. */
export function problem(
  setting: string,
  value: unknown,
  allowed: string,
  nearest?: SettingValue,
  why?: Why,
  others?: readonly OtherChoice[],
  choices?: readonly SettingValue[],
): SettingProblem {
  const reason = typeof why === 'object' ? { why: `${why.rule}: ${why.numbers}`, ...why } : { why };
  const found = {
    setting,
    value,
    allowed,
    ...(choices === undefined ? {} : { choices }),
    ...(nearest === undefined ? {} : { nearest }),
    ...(others === undefined ? {} : { others }),
    ...(why === undefined ? {} : reason),
  };
  return { ...found, message: problemText(found) };
}

function nearestNumber(type: SettingType, value: number): number | undefined {
  if ((type.kind !== 'int' && type.kind !== 'float') || Number.isNaN(value)) return undefined;
  const { min = -Infinity, max = Infinity } = type;
  if (type.kind === 'float') {
    const near = Math.min(Math.max(value, min), max);
    const open = (near === min && type.exclusiveMin) || (near === max && type.exclusiveMax);
    return open || !Number.isFinite(near) ? undefined : near;
  }
  const unit = type.multipleOf ?? 1;
  const low = Math.ceil(Math.max(min, Number.MIN_SAFE_INTEGER) / unit) * unit;
  const high = Math.floor(Math.min(max, Number.MAX_SAFE_INTEGER) / unit) * unit;
  return Math.min(Math.max(Math.round(value / unit) * unit, low), high);
}

function fitsNumber(type: SettingType, value: number): boolean {
  if (type.kind !== 'int' && type.kind !== 'float') return false;
  if (!Number.isFinite(value)) return false;
  if (type.min !== undefined && value < type.min) return false;
  if (type.max !== undefined && value > type.max) return false;
  if (type.kind === 'int') return Number.isSafeInteger(value) && value % (type.multipleOf ?? 1) === 0;
  if (type.exclusiveMin && value === type.min) return false;
  return !(type.exclusiveMax && value === type.max);
}

/** Null when the value is of the declared type and in range; otherwise what is wrong. */
export function checkValue(spec: SettingSpec, value: unknown): SettingProblem | null {
  const { type, name } = spec;
  const wrong = (nearest?: SettingValue): SettingProblem => problem(name, value, describeType(type), nearest);
  switch (type.kind) {
    case 'int':
    case 'float':
      if (typeof value !== 'number') return wrong();
      return fitsNumber(type, value) ? null : wrong(nearestNumber(type, value));
    case 'bool':
      return typeof value === 'boolean' ? null : wrong();
    case 'enum':
      if (typeof value !== 'string') return wrong();
      return isChoice(type, value) ? null : wrong(nearestChoice(type, value));
    case 'string':
      if (typeof value !== 'string') return wrong();
      return type.pattern && !new RegExp(type.pattern, 'u').test(value) ? wrong() : null;
  }
}

export type Parsed =
  | { readonly value: SettingValue; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: SettingProblem };

const NUMBER = /^([+\-−]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kKMGB]?)$/iu;
const SUFFIX: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, b: 1e9 };
const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  [true, false].flatMap((value) =>
    (value ? ['true', 'yes', 'on', '1'] : ['false', 'no', 'off', '0']).map((word) => [word, value] as const),
  ),
);

/** What a text says as a boolean; undefined when it says neither. */
export const readBoolean = (text: string): boolean | undefined => BOOLEANS.get(text.trim().toLowerCase());

/** `10k`, `2M`, `1.5G`, `1_000`, `3e-4`; suffixes are decimal (k = 1,000). NaN when it is not a number. */
export function parseNumber(text: string): number {
  const match = NUMBER.exec(text.trim());
  if (!match) return Number.NaN;
  const scaled = Number(match[1].replaceAll('_', '').replace('−', '-')) * SUFFIX[match[2].toLowerCase()];
  // 1.1M is 1100000.0000000002 in floating point: a suffix is meant to give the whole number beside it.
  const whole = Math.round(scaled);
  return match[2] && Math.abs(scaled - whole) <= 1e-9 * Math.abs(whole) ? whole : scaled;
}

/** What a word for a unit multiplies by, for settings that are given in a unit of the same kind. */
const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  seconds: {
    ms: 1e-3,
    s: 1,
    sec: 1,
    secs: 1,
    m: 60,
    min: 60,
    mins: 60,
    h: 3600,
    hr: 3600,
    hour: 3600,
    hours: 3600,
    d: 86_400,
  },
  bytes: { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 },
};
const WITH_UNIT = /^([+\-−]?[\d_]*\.?\d+(?:e[+-]?\d+)?)\s*(k|M|G|T)?\s*([a-zµ%/]+)$/iu;

/** The number that is meant by a text with a unit, in the unit of the setting: `1h` → 3600, `1M tokens` → 1000000. NaN: none. */
function numberWithUnit({ unit = '' }: SettingSpec, text: string): number {
  const given = text.trim();
  const plain = /^(.*?)\s*([a-zµ%/]+)$/isu.exec(given);
  const number = plain === null ? Number.NaN : parseNumber(plain[1]!);
  const word = plain?.[2]?.toLowerCase() ?? '';
  if (word === '%') return number / 100;
  const factor = UNITS[unit]?.[word];
  if (factor !== undefined) return Number((number * factor).toPrecision(12));
  const [, digits, scale = '', name] = WITH_UNIT.exec(given) ?? [];
  if (digits === undefined || name === undefined) return Number.NaN;
  const isUnit =
    unit !== '' && (unit.toLowerCase() === name.toLowerCase() || unit.toLowerCase() === `${name.toLowerCase()}s`);
  return isUnit ? parseNumber(`${digits}${scale}`) : Number.NaN;
}

/** A decimal digit of any script; the blocks of ten begin with zero. */
function digitOf(character: string): string {
  const isDigit = (code: number): boolean => /^\p{Nd}$/u.test(String.fromCodePoint(code));
  let before = 0;
  for (let code = character.codePointAt(0)! - 1; isDigit(code); code--) before++;
  return String(before % 10);
}

const GROUPED = /^([+\-−]?\d{1,3})(?:([ '’])\d{3}(?:\2\d{3})*|[.,]\d{3}(?:[.,]\d{3})+)$/u;

/** The number that is meant by other digits (full-width, of other scripts), by 0x10, 0b101, 0o17 or by 1 000 000. NaN: none. */
export function numberSpelledOtherwise(text: string): number {
  const plain = text
    .normalize('NFKC')
    .trim()
    .replaceAll(/\p{Nd}/gu, digitOf);
  const [, sign = '', digits] = /^([+\-−]?)(0(?:x[\da-f]+|o[0-7]+|b[01]+))$/iu.exec(plain) ?? [];
  if (digits !== undefined) return Number(digits) * (sign === '' || sign === '+' ? 1 : -1);
  if (GROUPED.test(plain)) return parseNumber(plain.replaceAll(/[ '’.,]/gu, ''));
  return plain === text.trim() ? Number.NaN : parseNumber(plain);
}

/** Whether a suffix would be read as millions where minutes are meant. */
const isMinutes = ({ unit }: SettingSpec, text: string): boolean => unit === 'seconds' && /\dm$/u.test(text.trim());

/** A text setting whose default holds a control character (a separator) is typed and shown with \n, \r, \t and \\ as escapes. */
const isEscaped = (spec: SettingSpec): boolean => /[\n\r\t]/u.test(String(spec.default));

/** What a text means whose control characters are written as \n, \r, \t and \\. */
export const unescapeText = (text: string): string =>
  text.replaceAll(/\\([nrt\\])/gu, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? '\\');

/**
 * The value that a text stands for, not yet checked: numbers as 1e-3, 10k, 2M, 1G; booleans as true/false, yes/no, on/off, 1/0.
 * Undefined when it cannot be read as the setting's type.
 */
export function readText(spec: SettingSpec, text: string): SettingValue | undefined {
  switch (spec.type.kind) {
    case 'int':
    case 'float': {
      const number = isMinutes(spec, text) ? Number.NaN : parseNumber(text);
      return Number.isNaN(number) ? undefined : number;
    }
    case 'bool':
      return readBoolean(text);
    case 'enum':
      return text;
    case 'string':
      return isEscaped(spec) ? unescapeText(text) : text;
  }
}

/** Reads and checks a value from a command line. */
export function parseValue(spec: SettingSpec, text: string): Parsed {
  const value = readText(spec, text);
  if (value === undefined) {
    const allowed = spec.type.kind === 'bool' ? 'true or false (or yes or no)' : describeType(spec.type);
    if (spec.type.kind === 'bool') return { problem: problem(spec.name, text, allowed) };
    const withUnit = numberWithUnit(spec, text);
    const meant = Number.isNaN(withUnit) ? numberSpelledOtherwise(text) : withUnit;
    if (Number.isNaN(meant)) return { problem: problem(spec.name, text, allowed) };
    const alone = spec.unit === undefined ? 'a number alone' : `a number alone, in ${spec.unit}`;
    const why = Number.isNaN(withUnit) ? 'decimal digits 0 to 9 alone' : alone;
    return { problem: problem(spec.name, text, allowed, checkValue(spec, meant)?.nearest ?? meant, why) };
  }
  const wrong = checkValue(spec, value);
  return wrong ? { problem: wrong } : { value };
}

/** A value as a command line or a form takes it: the inverse of `parseValue`. */
export function formatValue(spec: SettingSpec, value: SettingValue): string {
  if (typeof value !== 'string' || !isEscaped(spec)) return String(value);
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  return value.replaceAll(/[\n\r\t\\]/gu, (character) => escapes[character]);
}
