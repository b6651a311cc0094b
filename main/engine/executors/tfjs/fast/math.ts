/** Transcendental functions that are cheap in a JavaScript loop; computed in float64, accurate beyond float32. */

const PARTS = 64;
const PARTS_OVER_LN2 = PARTS * Math.LOG2E;
const LN2_OVER_PARTS = Math.LN2 / PARTS;
/** 2^(i/64). */
const FRACTIONS = Float64Array.from({ length: PARTS }, (_, i) => 2 ** (i / PARTS));
const LOWEST = -1080;
/** 2^k for k = LOWEST … 1023. */
const POWERS = Float64Array.from({ length: 1024 - LOWEST }, (_, i) => 2 ** (i + LOWEST));

/** eˣ = 2^k · 2^(i/64) · e^r with |r| ≤ ln 2/128, and the cubic Taylor polynomial in r (relative error below 1e-10). */
export function exp(x: number): number {
  if (x < -700) return 0;
  // Large arguments and NaN are rare: left to the library.
  if (!(x < 700)) return Math.exp(x);
  const n = Math.floor(x * PARTS_OVER_LN2 + 0.5) | 0;
  const r = x - n * LN2_OVER_PARTS;
  return (1 + r + r * r * (0.5 + r * (1 / 6))) * FRACTIONS[n & (PARTS - 1)]! * POWERS[(n >> 6) - LOWEST]!;
}

export function tanh(x: number): number {
  return Math.abs(x) < 1e-4 ? x : 1 - 2 / (exp(2 * x) + 1);
}

export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** Φ(x), the standard normal distribution function, given e = exp(−x²/2): Abramowitz & Stegun 7.1.26 (absolute error below 1e-7). */
export function normalCdf(x: number, e: number): number {
  const t = 1 / (1 + 0.3275911 * Math.SQRT1_2 * Math.abs(x));
  const tail =
    0.5 * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * e;
  return x < 0 ? tail : 1 - tail;
}
