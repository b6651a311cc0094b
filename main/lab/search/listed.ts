/** Distributions whose values can be listed. */
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';

/**
 * The values of a distribution, without repeats: int_uniform includes max, q_uniform goes from min in steps and excludes max (as numpy's
 * arange does). Undefined for distributions that cannot be listed, or have too many values.
 */
export function listedValues(d: Distribution): readonly SettingValue[] | undefined {
  switch (d.kind) {
    case 'constant':
      return [d.value];
    case 'categorical':
      return [...new Set(d.values)];
    case 'int_uniform':
      return d.max - d.min >= LIMITS.combinations
        ? undefined
        : Array.from({ length: d.max - d.min + 1 }, (_, i) => d.min + i);
    case 'q_uniform': {
      const length = Math.max(0, Math.ceil((d.max - d.min) / d.q - 1e-9));
      if (length > LIMITS.combinations) return undefined;
      const withoutDust = rounderFor(d.min, d.max);
      const values = Array.from({ length }, (_, i) => withoutDust(d.min + i * d.q));
      return [...new Set(values)];
    }
    default:
      return undefined;
  }
}

/** Takes the dust of floating point off sums between two bounds, also where they come near 0 (−18.8 + 5 × 3.76 is 0). */
function rounderFor(min: number, max: number): (x: number) => number {
  const scale = Math.max(Math.abs(min), Math.abs(max), Number.MIN_VALUE);
  const decimals = Math.min(100, Math.max(0, 14 - Math.floor(Math.log10(scale))));
  return (x) => Number(x.toFixed(decimals)) + 0;
}
