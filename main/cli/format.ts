/** Numbers, durations and sizes for people. Machines get full precision through `--json` and exports. */

import { formatInUnit } from '../../preload/shared/format.ts';

export { counted as plural } from '../../preload/shared/format.ts';

const SUFFIXES = ['', 'k', 'M', 'B', 'T'];

/** 999 → 999, 1500 → 1.5k, 46009736 → 46M, 999950 → 1M: never 1000 of a unit. One decimal, dropped when it is 0. */
export function formatCount(n: number): string {
  if (!Number.isFinite(n)) return String(n);
  // Compared after rounding, so that 999,950 carries to the next unit.
  const inUnit = (power: number) => Math.round((n / 1000 ** power) * 10) / 10;
  let power = 0;
  while (power < SUFFIXES.length - 1 && Math.abs(inUnit(power)) >= 1000) power++;
  return `${inUnit(power)}${SUFFIXES[power]}`;
}

/** 1,234,567 */
export function formatInteger(n: number): string {
  return Math.round(n)
    .toString()
    .replaceAll(/\B(?=(\d{3})+(?!\d))/gu, ',');
}

/** Four decimals for losses, fewer for large numbers, exponents for tiny and huge ones. */
export function formatNumber(value: number | null | undefined, decimals = 4): string {
  if (value === undefined) return '';
  if (value === null) return 'NaN';
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return formatInteger(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace('e+', 'e');
  return value.toFixed(size >= 1000 ? 1 : decimals);
}

/** A metric's value: shares in per cent, as everywhere. */
export const formatMetric = (value: number | null | undefined, unit: string): string =>
  unit === 'share' && typeof value === 'number' ? formatInUnit(value, unit) : formatNumber(value);

/** 1234567 → 1.23 MB, for files and data. */
export function formatBytes(bytes: number): string {
  return inUnits(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** 350 · 2^20 → 350 MiB, for memory. */
export function formatMemory(bytes: number): string {
  return inUnits(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** Three significant figures in the largest unit that gives at least one, trailing zeros after the point dropped. */
function inUnits(bytes: number, base: number, units: readonly string[]): string {
  let power = 0;
  // Compared after rounding, so that 999,950 carries to the next unit.
  while (power < units.length - 1 && Number((bytes / base ** power).toPrecision(3)) >= base) power++;
  return `${Number((bytes / base ** power).toPrecision(3))} ${units[power]}`;
}

/** 8 s, 1 min 20 s, 2 h 05 min, 3 d 4 h. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '?';
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1).replace(/\.0$/u, '')} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  const hours = Math.round(s / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** 2026-03-01 14:05, local time. */
export function formatTime(milliseconds: number | null): string {
  if (milliseconds === null) return '';
  const date = new Date(milliseconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A bar of `width` cells. */
export function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** A value of a setting in a table; nothing of a run that has none. */
export function formatSetting(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? (value === '' ? '""' : JSON.stringify(value).slice(1, -1)) : String(value);
}
