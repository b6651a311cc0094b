/** Labels of axes, and values below each other. Everything else about numbers is in preload/shared/format.ts. */
import {
  BINARY,
  formatDuration,
  formatInteger,
  formatInUnit,
  formatMean,
  formatMemory,
  formatValue,
  grouped,
  SPACE,
} from '../shared/format.ts';
import { linearTicks, logTicks } from './series/ticks.ts';

const UNITS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** From here on there is no letter, and a number is written with its power of ten. */
const POWERS = 1e15;
/** Decimals after which a label says less than it takes room. */
const MOST_DECIMALS = 6;

const signed = (text: string): string => text.replaceAll('-', '−').replace('e+', 'e');

/** What values are called, with their unit where there is one. */
export const withUnit = (name: string, unit: string): string => (unit === '' ? name : `${name} (${unit})`);

/** A logarithmic axis says so: equal distances are equal factors there, whoever chose it. */
export const scaledLabel = (name: string, log: boolean): string => (log ? `${name} (log)` : name);

/** Decimals that tell numbers `step` apart. */
const decimalsFor = (step: number): number => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** A label of an axis tick: short, but never two equal labels for ticks `step` apart. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return formatValue(value);
  const size = Math.abs(value);
  const apart = step > 0 ? Math.min(step, size) : size;
  if (size >= POWERS || (size < 1e-3 && !(step >= 1e-4))) {
    const digits = Math.floor(Math.log10(size)) - Math.floor(Math.log10(apart) + 1e-9);
    const [mantissa, exponent] = size.toExponential(Math.min(15, Math.max(0, digits))).split('e');
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/u, '') : mantissa;
    return signed(`${value < 0 ? '-' : ''}${short}e${Number(exponent)}`);
  }
  for (const [unit, suffix] of UNITS)
    if (size >= unit) {
      const decimals = decimalsFor(apart / unit);
      // 1,000,000,001 and 1,000,000,002 are not both 1B.
      if (decimals > MOST_DECIMALS) return signed(grouped(value.toFixed(decimalsFor(apart))));
      return signed(`${Number((value / unit).toFixed(decimals))}${suffix}`);
    }
  return signed(value.toFixed(Math.min(15, decimalsFor(apart))));
}

/** The value itself, as short as six figures are: for ticks that do not stand at even distances. */
export function formatAlone(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return formatTick(value, 1);
  if (size >= 1e3 || size < 1e-3) return formatTick(value, 10 ** (Math.floor(Math.log10(size)) - 5));
  return signed(String(Number(value.toPrecision(6))));
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface TickRange {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  /** Of the metric: `bytes` and `s` have round numbers of their own, `share` is shown in per cent. */
  readonly unit?: string;
}

/** The label of a tick as a chart gives it back: a logarithmic axis with the dust of its own arithmetic. */
export const labelIn =
  (ticks: readonly Tick[]) =>
  (value: number): string =>
    ticks.find((tick) => Math.abs(tick.value - value) <= 1e-9 * Math.abs(value))?.label ?? '';

/** In which multiple of a unit an axis up to `most` is read, and what that is called. */
function multipleOf(unit: string, most: number): readonly [number, string] {
  if (unit === 'share') return [0.01, `${SPACE}%`];
  if (unit === 'bytes') {
    const power = Math.floor(Math.log2(Math.max(1, most)) / 10 + 1e-9);
    const at = Math.min(BINARY.length - 1, Math.max(0, power));
    return [1024 ** at, `${SPACE}${BINARY[at]}`];
  }
  if (unit === 's') {
    if (most > 3 * 86_400) return [86_400, `${SPACE}d`];
    if (most > 3 * 3600) return [3600, `${SPACE}h`];
    if (most > 180) return [60, `${SPACE}min`];
    return [1, `${SPACE}s`];
  }
  return [1, ''];
}

/** Units that the ticks themselves carry, so that the head of a chart need not name them. */
export const TICK_UNITS: ReadonlySet<string> = new Set(['share', 'bytes', 's']);

/** Units of which there are no halves. */
const WHOLE: ReadonlySet<string> = new Set(['step', 'tokens']);

/** Ticks at round numbers of the unit, with labels that share their decimals. */
export function ticksOf({ min, max, log, unit = '' }: TickRange, count: number): Tick[] {
  if (log) {
    const ticks = logTicks(min, max, count);
    const label = LOG_LABELS[unit] ?? (isEven(ticks) ? (v: number) => formatTick(v, ticks[1] - ticks[0]) : formatAlone);
    return ticks.map((value) => ({ value, label: label(value) }));
  }
  const [size, suffix] = multipleOf(unit, Math.max(Math.abs(min), Math.abs(max)));
  const ticks = linearTicks(min / size, max / size, count).filter((v) => !WHOLE.has(unit) || Number.isInteger(v));
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : Math.abs(ticks[0] ?? 1);
  return ticks.map((value) => ({ value: value * size, label: `${formatTick(value, step)}${suffix}` }));
}

/** As on a logarithmic axis of less than a decade: only with common decimals can these be told apart. */
function isEven(ticks: readonly number[]): boolean {
  const step = ticks[1] - ticks[0];
  return ticks.length > 2 && ticks.every((value, i) => Math.abs(value - ticks[0] - i * step) < 0.01 * step);
}

const LOG_LABELS: Readonly<Record<string, (value: number) => string>> = {
  s: formatDuration,
  bytes: formatMemory,
  share: (value) => `${formatAlone(100 * value)}${SPACE}%`,
};

/** Ticks where the values of a setting stand: each is written as it is. */
export const ticksAt = (values: readonly number[]): Tick[] =>
  values.map((value) => ({
    value,
    label: Number.isInteger(value) && Math.abs(value) < POWERS ? formatInteger(value) : formatAlone(value),
  }));

/** Figures that a column of values shows when no spread says how many it bears. */
const FIGURES = 4;

/** Values below each other, with the decimals that the smallest of their spreads bears; NaN where a value has none. */
export function aligned(values: readonly number[], halves: readonly number[], unit = ''): string[] {
  const sizes = values.filter(Number.isFinite).map(Math.abs);
  const most = Math.max(0, ...sizes);
  if (unit === 'share') return sharing(values, halves);
  const least = Math.min(...sizes.filter((size) => size > 0));
  if (['bytes', 's'].includes(unit) || most >= 1e6 || most < 1e-3 || least < 1e-5 * most)
    return values.map((value, i) => alone(value, halves[i], unit));
  const spread = Math.min(...halves.filter((half) => half > 0));
  const whole = values.every((value) => Number.isInteger(value)) && !(spread < 1);
  const figures = FIGURES - 1 - Math.floor(Math.log10(most));
  const wanted = Number.isFinite(spread) ? 1 - Math.floor(Math.log10(spread)) : whole ? 0 : figures;
  const decimals = Math.min(MOST_DECIMALS, Math.max(0, wanted));
  const text = (v: number): string => (Number.isFinite(v) ? signed(grouped(v.toFixed(decimals))) : formatValue(v));
  return values.map((value, i) => (Number.isNaN(halves[i]) ? text(value) : `${text(value)} ± ${text(halves[i])}`));
}

const alone = (value: number, half: number, unit: string): string => {
  if (Number.isNaN(half)) return formatInUnit(value, unit);
  if (unit === '' || formatInUnit(1, unit) === formatValue(1)) return formatMean(value, half);
  return `${formatInUnit(value, unit)} ± ${formatInUnit(half, unit)}`;
};

function sharing(values: readonly number[], halves: readonly number[]): string[] {
  const [numbers, spreads] = [values, halves].map((list) => list.map((v) => 100 * v));
  return aligned(numbers, spreads).map((text) => `${text}${SPACE}%`);
}
