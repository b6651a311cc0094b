/**
 * Debiased exponential moving average, correct for irregular spacing.
 *
 * Each point stands for the interval since the point before it: over Δ the older average fades by d = weight^(Δ / spacing) and the
 * new value enters with 1 − d. Divided by the sum of all entered weights, the start is not pulled towards zero. On a regular
 * grid with `spacing` this is the usual (1 − w) Σ wᵏ y / (1 − wᵗ) of TensorBoard; where points are denser each counts less, so
 * a run that logs twice as often looks the same.
 *
 * Values that are not finite stay gaps and do not touch the average.
 */
export interface Smoothing {
  /** 0 (none) ≤ weight < 1, per `spacing`. */
  readonly weight: number;
  /** The distance in x to which `weight` belongs: the run's distance between logged points. */
  readonly spacing: number;
}

export function smooth(x: ArrayLike<number>, y: ArrayLike<number>, { weight, spacing }: Smoothing): Float64Array {
  const result = Float64Array.from(y);
  if (!(weight > 0) || !(spacing > 0)) return result;
  let average = 0;
  let entered = 0;
  let last = Number.NaN;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i]) || !Number.isFinite(x[i])) continue;
    const distance = Number.isNaN(last) ? spacing : Math.max(0, x[i] - last);
    const decay = weight ** (distance / spacing);
    average = average * decay + y[i] * (1 - decay);
    entered = entered * decay + (1 - decay);
    last = x[i];
    if (entered > 0) result[i] = average / entered;
  }
  return result;
}
