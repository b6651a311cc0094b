/** Labels of axes. Everything else about numbers is in preload/shared/format.ts. */
import { formatValue } from '../../preload/shared/format.ts';

const UNITS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A label of an axis tick: short, but never two equal labels for ticks `step` apart. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  for (const [unit, suffix] of UNITS)
    if (size >= unit) {
      const decimals = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
      return `${Number((value / unit).toFixed(Math.min(6, decimals)))}${suffix}`.replaceAll('-', '−');
    }
  if (size < 1e-3 && !(step >= 1e-4)) return formatValue(value, 3);
  const decimals = Math.max(0, -Math.floor(Math.log10(step || size) + 1e-9));
  return value.toFixed(Math.min(6, decimals)).replaceAll('-', '−');
}
