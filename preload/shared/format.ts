/** Numbers for people. The exact value belongs in the title and in copies: see NumberText.vue. */

const MINUS = '−';
/** Between a number and its unit: a line does not break there. */
export const SPACE = '\u00A0';

/** What stands for a value that is not there. */
export const NONE = '–';

/** Digits of a number with its thousands separated. */
export function grouped(text: string): string {
  if (text.length <= 3) return text;
  const [whole, fraction] = text.split('.');
  const separated = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/gu, ',');
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}

function special(value: number | null | undefined): string | null {
  if (value === undefined || value === null) return NONE;
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '∞';
  if (value === -Infinity) return `${MINUS}∞`;
  return null;
}

/** Significant digits without an exponent; digits before the point are never rounded away: 12345.6 → "12346", 0.00123456 → "0.001235". */
function plain(size: number, digits: number): string {
  if (size === 0) return '0';
  if (size >= 10 ** (digits - 1)) return size.toFixed(0);
  const rounded = Number(size.toPrecision(digits));
  const exponent = Math.floor(Math.log10(rounded));
  return rounded.toFixed(Math.min(20, Math.max(0, digits - 1 - exponent)));
}

/**
 * A measured value with `digits` significant figures: 2.4137 → "2.414", 12345.6 → "12,346". Integers up to a million stay whole;
 * very small and very large values get an exponent: 3.000e-4.
 */
export function formatValue(value: number | null | undefined, digits = 4): string {
  const other = special(value);
  if (other !== null) return other;
  const number = value as number;
  const size = Math.abs(number);
  const sign = number < 0 ? MINUS : '';
  if (Number.isInteger(number) && size < 1e6) return sign + grouped(String(size));
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = size.toExponential(digits - 1).split('e');
    return `${sign}${mantissa.replace(/\.?0+$/u, '')}e${Number(exponent)}`;
  }
  return sign + grouped(plain(size, digits));
}

/** 1,234,567 */
export function formatInteger(value: number | null | undefined): string {
  const other = special(value);
  if (other !== null) return other;
  const number = Math.round(value as number);
  return (number < 0 ? MINUS : '') + grouped(String(Math.abs(number)));
}

const SI: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Counts with three significant figures: 27200000 → "27.2M", 999950 → "1.00M" (never "1000k"), 128 → "128". */
export function formatCount(value: number | null | undefined): string {
  const other = special(value);
  if (other !== null) return other;
  const number = value as number;
  const sign = number < 0 ? MINUS : '';
  const size = Math.abs(number);
  // Rounded before the unit is chosen, so that a value just below a unit is carried into it.
  const rounded = size < 1000 ? Math.round(size * 10) / 10 : Number(size.toPrecision(3));
  for (const [unit, suffix] of SI) if (rounded >= unit) return `${sign}${plain(rounded / unit, 3)}${suffix}`;
  return sign + String(rounded);
}

export const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

function inUnits(value: number | null | undefined, base: 1000 | 1024, units: readonly string[]): string {
  const other = special(value);
  if (other !== null) return other;
  let size = Math.abs(value as number);
  let unit = 0;
  // 1023.5 KiB would print as four digits, 999.6 kB as 1000: they are carried instead.
  while (unit < units.length - 1 && (unit === 0 ? size >= base : Number(size.toPrecision(3)) >= 1000)) {
    size /= base;
    unit += 1;
  }
  const sign = (value as number) < 0 ? MINUS : '';
  return `${sign}${unit === 0 ? String(Math.round(size)) : plain(size, 3)}${SPACE}${units[unit]}`;
}

/** Memory in binary units, as it is built and sold: 19756849561 → "18.4 GiB". */
export const formatMemory = (bytes: number | null | undefined): string => inUnits(bytes, 1024, BINARY);

/** Files and data in decimal units, as disks and downloads count them: 1234567 → "1.23 MB". */
export const formatBytes = (bytes: number | null | undefined): string => inUnits(bytes, 1000, DECIMAL);

/** Two amounts of memory with the unit once where both share it: "18.3 of 23.6 GiB". */
export function formatMemoryOf(part: number | null | undefined, whole: number | null | undefined): string {
  const [a, b] = [formatMemory(part), formatMemory(whole)];
  const [number, unit] = a.split(SPACE);
  return unit !== undefined && b.endsWith(`${SPACE}${unit}`) ? `${number} of ${b}` : `${a} of ${b}`;
}

/** Decimal places that show two figures of an uncertainty; negative where it is tens or more. */
const placesOf = (uncertainty: number): number => 1 - Math.floor(Math.log10(uncertainty));

/** Rounded to `places` decimals, which may be negative, with thousands separated. */
function rounded(value: number, places: number): string {
  const factor = 10 ** -places;
  const text = places >= 0 ? Math.abs(value).toFixed(places) : String(Math.round(Math.abs(value) / factor) * factor);
  return (value < 0 && Number(text) !== 0 ? MINUS : '') + grouped(text);
}

const EXACT_PLACES = 8;
/** A spread below this part of a value is that of its rounding. */
const ROUNDING = 1e-12;

/** A value and its uncertainty with the same decimals, as many as two figures of the uncertainty have. */
function withUncertainty(value: number, uncertainty: number, sign = ''): string {
  const larger = Math.max(Math.abs(value), uncertainty);
  if (larger >= 1e6 || larger < 1e-3) {
    const exponent = Math.floor(Math.log10(larger));
    const unit = 10 ** exponent;
    return `(${withUncertainty(value / unit, uncertainty / unit, sign)})e${exponent}`;
  }
  const places = placesOf(uncertainty);
  if (places > EXACT_PLACES) return `${sign}${rounded(value, EXACT_PLACES)} ± ${formatValue(uncertainty, 2)}`;
  return `${sign}${rounded(value, places)} ± ${rounded(uncertainty, places)}`;
}

/** A mean with its standard deviation to the digits that it supports: "2.178 ± 0.032", "81,000 ± 44,000". One value has none. */
export function formatMean(mean: number, sd: number): string {
  if (!Number.isFinite(mean) || Number.isNaN(sd)) return formatValue(mean);
  if (sd === 0) return `${formatValue(mean)} ± 0`;
  return Number.isFinite(sd) ? withUncertainty(mean, sd) : `${formatValue(mean)} ± ∞`;
}

/** A value with its standard error, both with the same decimals: "5.53701 ± 0.00087". Alone where no error is known. */
export const formatMeasured = (value: number | null | undefined, error: number | null | undefined): string =>
  typeof value === 'number' && typeof error === 'number' ? formatMean(value, error) : formatValue(value);

/** A difference with the half-width of its interval: "+0.123 ± 0.045", "+2 ± 0" where no seed deviates. Unknown without a half-width. */
export function formatDifference(difference: number, half: number): string {
  if (!Number.isFinite(difference)) return formatValue(difference);
  const sign = difference > 0 ? '+' : '';
  if (Number.isNaN(half)) return `${sign}${formatValue(difference)}`;
  // Equal differences of seeds differ by the rounding of their values.
  if (half <= ROUNDING * Math.abs(difference)) return `${sign}${formatValue(difference)} ± 0`;
  return Number.isFinite(half) ? withUncertainty(difference, half, sign) : `${sign}${formatValue(difference)} ± ∞`;
}

/** 0.4 s, 12 s, 4 min 10 s, 1 h 12 min, 2 d 4 h. Never "60 s" or "60 min". */
export function formatDuration(seconds: number | null | undefined): string {
  const other = special(seconds);
  if (other !== null) return other;
  const size = Math.max(0, seconds as number);
  if (size < 1) return size === 0 ? `0${SPACE}s` : `${Math.max(1, Math.round(size * 1000))}${SPACE}ms`;
  if (size < 9.95) return `${size.toFixed(1).replace(/\.0$/u, '')}${SPACE}s`;
  const whole = Math.round(size);
  if (whole < 60) return `${whole}${SPACE}s`;
  if (whole < 3600) return two(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(size / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(size / 3600);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = `${large}${SPACE}${largeUnit}`;
  return small === 0 ? first : `${first}${SPACE}${small}${SPACE}${smallUnit}`;
}

/** A range of durations with the unit once where both share it: "38–52 min". */
export function formatDurationRange(low: number, high: number): string {
  const [a, b] = [formatDuration(low), formatDuration(high)];
  if (a === b) return a;
  const simple = /^([\d.]+)\u00A0(\D+)$/u;
  const [first, second] = [simple.exec(a), simple.exec(b)];
  if (first !== null && second !== null && first[2] === second[2])
    return `${first[1]}–${second[1]}${SPACE}${second[2]}`;
  return `${a} – ${b}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/**
 * An estimated range with the two figures that an estimate has: "1.1–6 min", "9.4 h – 2.1 d". Below five seconds all is
 * "under 5 s".
 */
export function formatRoughRange(low: number, high: number): string {
  if (high < 5) return `under 5${SPACE}s`;
  const rough = (seconds: number): readonly [number, string] => {
    // 59.7 s would round to "60 s": the unit is chosen by the rounded value.
    const rounded = Number(seconds.toPrecision(2));
    const [size, unit] = UNITS.find(([each]) => rounded >= each) ?? [1, 's'];
    return [Number((rounded / size).toPrecision(2)), unit];
  };
  const [[low2, first], [high2, second]] = [rough(low), rough(high)];
  const [a, b] = [grouped(String(low2)), grouped(String(high2))];
  if (first !== second) return `${a}${SPACE}${first} – ${b}${SPACE}${second}`;
  return a === b ? `${a}${SPACE}${first}` : `${a}–${b}${SPACE}${first}`;
}

/** 0.613 → "61 %", 0.0123 → "1.2 %". */
export function formatPercent(fraction: number | null | undefined): string {
  const other = special(fraction);
  if (other !== null) return other;
  const percent = (fraction as number) * 100;
  const size = Math.abs(percent);
  const text = size === 0 || size >= 9.95 ? String(Math.round(size)) : plain(size, 2);
  return `${percent < 0 ? MINUS : ''}${text}${SPACE}%`;
}

/** A metric's value in its unit: shares in per cent, memory in binary units, seconds as a duration, everything else to four figures. */
export function formatInUnit(value: number | null | undefined, unit: string): string {
  if (unit === 'share') return formatShare(value);
  if (unit === 'bytes') return formatMemory(value);
  if (unit === 's') return formatDuration(value);
  if (['tokens', 'FLOP', 'tokens/s'].includes(unit)) return formatCount(value);
  return formatValue(value);
}

/** A measured share with three figures: 0.4213 → "42.1 %". */
function formatShare(fraction: number | null | undefined): string {
  const other = special(fraction);
  if (other !== null) return other;
  const percent = 100 * (fraction as number);
  return `${percent < 0 ? MINUS : ''}${plain(Math.abs(percent), 3)}${SPACE}%`;
}

/** A mean with its standard deviation in the unit of its metric: shares in per cent, "27.4 ± 0.9 %"; all else as {@link formatMean}. */
export function formatMeanInUnit(mean: number, sd: number, unit: string): string {
  if (unit !== 'share') return formatMean(mean, sd);
  return Number.isFinite(sd) ? `${formatMean(100 * mean, 100 * sd)}${SPACE}%` : formatShare(mean);
}

/** A setting's value as the user would type it, with separators in whole numbers: 1024 → "1,024". */
export function formatSetting(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return formatInteger(value);
    return String(value).replace(/^-/u, MINUS);
  }
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (value === '') return 'none';
  return String(value ?? NONE).replaceAll('\n', '\\n');
}

/**
 * The same with at most so many significant digits: for names and tables, where 0.002210786749025765 hides what stands beside it. Whole
 * numbers keep all of theirs.
 */
export function briefSetting(value: unknown, digits = 4): string {
  return formatSetting(
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(digits)) : value,
  );
}

/** Significant digits, four or more, with which no two of these values are written alike. */
export function digitsApart(values: readonly unknown[]): number {
  const distinct = new Set(values);
  for (let digits = 4; digits < 17; digits++)
    if (new Set([...distinct].map((value) => briefSetting(value, digits))).size === distinct.size) return digits;
  return 17;
}

/** "just now", "4 min ago", "3 h ago", "2 d ago", then the date. `now` in milliseconds since 1970. */
export function formatAgo(time: number | null | undefined, now: number): string {
  if (time === null || time === undefined) return NONE;
  const seconds = (now - time) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3570) return `${Math.max(1, Math.round(seconds / 60))}${SPACE}min ago`;
  if (seconds < 86_000) return `${Math.max(1, Math.round(seconds / 3600))}${SPACE}h ago`;
  if (seconds < 7 * 86_400) return `${Math.max(1, Math.round(seconds / 86_400))}${SPACE}d ago`;
  return formatTime(time).slice(0, 10);
}

/** 2026-03-01 14:05, local time. */
export function formatTime(time: number | null | undefined): string {
  if (time === null || time === undefined) return NONE;
  const date = new Date(time);
  const pad = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** `1 run`, `3 runs`, with a space that may break: for terminals, files and sentences. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)} ${count === 1 ? one : many}`;
}

/** `1 run`, `3 runs`, never broken over two lines. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)}${SPACE}${count === 1 ? one : many}`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** A time to come, to the minute: "14:05", on another day of the next six "Sat 03:10", later "2026-03-01 14:05". Local time. */
export function formatClock(time: number | null | undefined, now: number): string {
  if (time === null || time === undefined) return NONE;
  const at = new Date(time);
  const days = Math.round((new Date(time).setHours(12, 0, 0, 0) - new Date(now).setHours(12, 0, 0, 0)) / 86_400_000);
  if (days < 0 || days > 6) return formatTime(time);
  return `${days === 0 ? '' : `${DAYS[at.getDay()]} `}${formatTime(time).slice(-5)}`;
}

/** `lr, depth and 3 more`. */
export const listed = (names: readonly string[], most: number): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
