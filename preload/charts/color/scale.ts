/** Position of a setting's value on a continuous colour scale. */

export interface ColorScale {
  readonly kind: 'linear' | 'log';
  readonly min: number;
  readonly max: number;
  /** 0 … 1; 0.5 when there is a single value. */
  at(value: number): number;
}

/**
 * Logarithmic when the values are positive, span a factor of 8 or more, and lie more evenly that way: learning rates and widths
 * usually do, numbers of layers from 1 to 4 do not.
 */
export function colorScale(values: readonly number[]): ColorScale {
  const finite = [...new Set(values.filter(Number.isFinite))].sort((a, b) => a - b);
  const min = finite[0] ?? 0;
  const max = finite.at(-1) ?? 0;
  const kind = min > 0 && max / min >= 8 && unevenness(finite.map(Math.log)) < unevenness(finite) ? 'log' : 'linear';
  const map = kind === 'log' ? Math.log : (v: number) => v;
  return {
    kind,
    min,
    max,
    at: (value) => (max === min ? 0.5 : (map(value) - map(min)) / (map(max) - map(min))),
  };
}

/** Largest share of the range between two neighbours. */
function unevenness(sorted: readonly number[]): number {
  let largest = 0;
  for (let i = 1; i < sorted.length; i++) largest = Math.max(largest, sorted[i] - sorted[i - 1]);
  return largest / (sorted[sorted.length - 1] - sorted[0] || 1);
}
