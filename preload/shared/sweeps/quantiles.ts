/**
 * Inverse distribution functions. Every distribution is sampled as quantile(u) with one uniform u per value, so a draw
 * depends on (sweep seed, setting, draw) alone and is monotone in u.
 *
 * Their last bits are part of what a sweep is: a draw of another bit is another setting, and a sweep that is extended later would
 * train it anew. That, 420 kB and quantiles of −∞ below 1e-60 spoke against a library (@stdlib/stats-base-dists-*).
 */
import { betaCdf } from '../statistics/beta.ts';
import type { Distribution } from './distributions.ts';

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

// Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), PPND16; coefficients from x^0 up.
const CENTRE = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
];
const MIDDLE = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const TAIL = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/** Inverse of the standard normal distribution function, relative error about 1e-16. ±Infinity at 0 and 1. */
export function normalQuantile(u: number): number {
  const q = u - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE[0], r)) / polynomial(CENTRE[1], r);
  }
  const p = q < 0 ? u : 1 - u;
  if (p <= 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(p));
  const [up, down, x] = r <= 5 ? [MIDDLE[0], MIDDLE[1], r - 1.6] : [TAIL[0], TAIL[1], r - 5];
  const value = polynomial(up, x) / polynomial(down, x);
  return q < 0 ? -value : value;
}

/** Inverse of `betaCdf` by bisection, to the last bit of x. */
export function betaQuantile(u: number, a: number, b: number): number {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  let low = 0;
  let high = 1;
  for (;;) {
    const x = (low + high) / 2;
    if (x <= low || x >= high) return x;
    if (betaCdf(x, a, b) < u) low = x;
    else high = x;
  }
}

/** round(x / q) × q without the dust of floating point (3 × 0.1 is 0.3). */
export function quantise(x: number, q: number): number {
  const steps = Math.round(x / q);
  return Number((steps * q).toPrecision(15));
}

/** How far a bound may lie beside a multiple of q and still be meant as that one: floating point, not people. */
const DUST = 1e-12;

/** The least and the greatest multiple of q between two bounds; undefined when there is none. */
export function stepsWithin(low: number, high: number, q: number): { low: number; high: number } | undefined {
  const dust = (x: number): number => DUST * Math.max(1, Math.abs(x));
  const first = Math.ceil(low / q - dust(low / q));
  const last = Math.floor(high / q + dust(high / q));
  return first > last ? undefined : { low: quantise(first * q, q), high: quantise(last * q, q) };
}

/**
 * The nearest multiple of q, as W&B rounds, but never outside of the bounds, which W&B's rounding leaves: a bound is often a limit of what fits.
 * Where no multiple lies within, the lower bound.
 */
function quantiseWithin(x: number, low: number, high: number, q: number): number {
  const steps = stepsWithin(low, high, q);
  return steps === undefined ? low : Math.min(Math.max(quantise(x, q), steps.low), steps.high);
}

function index(probabilities: readonly number[], u: number): number {
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i] / total;
    if (u < sum) return i;
  }
  return probabilities.findLastIndex((p) => p > 0);
}

/** Between two bounds, also where what lies between them is more than a number holds. */
function evenly(low: number, high: number, u: number): number {
  const span = high - low;
  return Number.isFinite(span) ? low + u * span : low * (1 - u) + high * u;
}

/** The same by ratios, of bounds above 0. */
function byRatio(low: number, high: number, u: number): number {
  const ratio = high / low;
  const x = Number.isFinite(ratio) ? low * ratio ** u : Math.exp(evenly(Math.log(low), Math.log(high), u));
  return Math.min(Math.max(x, low), high);
}

/** The value of a distribution at u in [0, 1). */
export function quantile(d: Distribution, u: number): number | string | boolean {
  switch (d.kind) {
    case 'constant':
      return d.value;
    case 'categorical':
      return d.values[Math.min(Math.floor(u * d.values.length), d.values.length - 1)];
    case 'categorical_w_probabilities':
      return d.values[index(d.probabilities, u)];
    case 'int_uniform':
      return Math.min(d.min + Math.floor(u * (d.max - d.min + 1)), d.max);
    case 'uniform':
      return evenly(d.min, d.max, u);
    case 'q_uniform':
      return quantiseWithin(evenly(d.min, d.max, u), d.min, d.max, d.q);
    case 'log_uniform':
      return Math.exp(d.min + u * (d.max - d.min));
    case 'q_log_uniform':
      return quantiseWithin(Math.exp(d.min + u * (d.max - d.min)), Math.exp(d.min), Math.exp(d.max), d.q);
    case 'log_uniform_values':
      return byRatio(d.min, d.max, u);
    case 'q_log_uniform_values':
      return quantiseWithin(byRatio(d.min, d.max, u), d.min, d.max, d.q);
    // W&B: log(1/X) is uniform, between the bounds as exponents, or between the logarithms of 1/max and 1/min.
    case 'inv_log_uniform':
      return Math.exp(-(d.min + (1 - u) * (d.max - d.min)));
    case 'inv_log_uniform_values':
      return byRatio(d.min, d.max, u);
    case 'normal':
      return d.mu + d.sigma * normalQuantile(u);
    case 'q_normal':
      return quantise(d.mu + d.sigma * normalQuantile(u), d.q);
    case 'log_normal':
      return Math.exp(d.mu + d.sigma * normalQuantile(u));
    case 'q_log_normal':
      return quantise(Math.exp(d.mu + d.sigma * normalQuantile(u)), d.q);
    case 'beta':
      return betaQuantile(u, d.a, d.b);
    case 'q_beta':
      return quantiseWithin(betaQuantile(u, d.a, d.b), 0, 1, d.q);
  }
}
