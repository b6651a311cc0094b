/** Numbers that only charts and tables of statistics need; everything else is in components/format.ts. */
import { formatValue } from '../../preload/shared/format.ts';

/** A mean with its sd to the digits that the sd supports: 2.178 ± 0.032. */
export function formatMean(mean: number, sd: number): string {
  if (!Number.isFinite(mean)) return formatValue(mean);
  if (!(sd > 0)) return formatValue(mean);
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(sd))));
  if (Math.abs(mean) >= 1e6 || Math.abs(mean) < 1e-4) return `${formatValue(mean)} ± ${formatValue(sd, 2)}`;
  return `${mean.toFixed(decimals)} ± ${sd.toFixed(decimals)}`.replaceAll('-', '−');
}

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
