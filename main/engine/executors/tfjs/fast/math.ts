/** Transcendental functions that are cheap in a JavaScript loop; computed in float64, accurate beyond float32. */

const LOG2_E = Math.LOG2E;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LOWEST = -1080;
/** 2^k for k = LOWEST … 1023. */
const POWERS = Float64Array.from({ length: 1024 - LOWEST }, (_, i) => 2 ** (i + LOWEST));

/** eˣ: x = k·ln 2 + r, |r| ≤ ½ ln 2, and the Taylor polynomial of degree 7 in r (relative error below 1e-8). */
export function exp(x: number): number {
  if (x < -700) return 0;
  // Large arguments and NaN are rare: left to the library.
  if (!(x < 700)) return Math.exp(x);
  const k = Math.floor(x * LOG2_E + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const p = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))));
  return p * POWERS[k - LOWEST]!;
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
