import { describe, expect, it } from 'vitest';
import { betaCdf, logGamma } from '../../../preload/shared/statistics/beta.ts';
import {
  betaQuantile,
  normalQuantile,
  quantile,
  quantise,
  stepsWithin,
} from '../../../preload/shared/sweeps/quantiles.ts';
import { uniformsOf } from '../../../main/lab/search/random.ts';
import { random, SEED } from '../../oracles/random.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';

const N = 20_000;

/** N samples of a distribution with a fixed seed. */
function sample(d: Distribution, seed = 1): number[] {
  const source = uniformsOf(seed, 'test');
  return Array.from({ length: N }, (_, i) => quantile(d, source.uniform(i)) as number);
}

/** Largest distance of the empirical from the given distribution function (Kolmogorov–Smirnov), times √N. */
function kolmogorov(values: number[], cdf: (x: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const distance = Math.max(...sorted.map((x, i) => Math.max((i + 1) / N - cdf(x), cdf(x) - i / N)));
  return distance * Math.sqrt(N);
}

/** √N·D exceeds this with probability 10⁻⁴ when the distribution is right. */
const KS_LIMIT = 2.225;

/** Φ(x) by the series of Abramowitz and Stegun 26.2.11, independent of the quantile under test. */
function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 400; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
const between = (x: number): number => Math.min(Math.max(x, 0), 1);

describe('continuous distributions against their closed forms', () => {
  const cases: [Distribution, (x: number) => number][] = [
    [{ kind: 'uniform', min: -2, max: 3 }, (x) => between((x + 2) / 5)],
    [{ kind: 'log_uniform', min: -9, max: -2 }, (x) => between((Math.log(x) + 9) / 7)],
    [{ kind: 'log_uniform_values', min: 1e-4, max: 1e-1 }, (x) => between(Math.log(x / 1e-4) / Math.log(1e3))],
    [{ kind: 'inv_log_uniform', min: 1, max: 4 }, (x) => between((Math.log(x) + 4) / 3)],
    [{ kind: 'inv_log_uniform_values', min: 0.01, max: 10 }, (x) => between(Math.log(x / 0.01) / Math.log(1e3))],
    [{ kind: 'normal', mu: 2, sigma: 0.5 }, (x) => normalCdf((x - 2) / 0.5)],
    [{ kind: 'log_normal', mu: -1, sigma: 0.7 }, (x) => normalCdf((Math.log(x) + 1) / 0.7)],
    // Beta(2, 3) has the polynomial 6x² − 8x³ + 3x⁴; Beta(½, ½) is the arcsine law; Beta(5, 1) is x⁵.
    [{ kind: 'beta', a: 2, b: 3 }, (x) => 6 * x ** 2 - 8 * x ** 3 + 3 * x ** 4],
    [{ kind: 'beta', a: 0.5, b: 0.5 }, (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x))],
    [{ kind: 'beta', a: 5, b: 1 }, (x) => x ** 5],
  ];
  it.each(cases)('%o (catches a wrong scale, bound or logarithm)', (d, cdf) => {
    expect(kolmogorov(sample(d), cdf)).toBeLessThan(KS_LIMIT);
  });

  it('would see a wrong distribution (the test can fail)', () => {
    expect(kolmogorov(sample({ kind: 'normal', mu: 2, sigma: 0.55 }), (x) => normalCdf((x - 2) / 0.5))).toBeGreaterThan(
      KS_LIMIT,
    );
    expect(kolmogorov(sample({ kind: 'uniform', min: -2, max: 3 }), (x) => between((x + 2.1) / 5))).toBeGreaterThan(
      KS_LIMIT,
    );
  });
});

/** Pearson's χ² of counts against probabilities, as a standard normal score (Wilson–Hilferty). */
function chiScore(values: unknown[], expected: ReadonlyMap<unknown, number>): number {
  const counts = Map.groupBy(values, (value) => value);
  for (const value of counts.keys()) if (!expected.get(value)) return Infinity;
  const cells = [...expected].filter(([, p]) => p > 0);
  const chi = cells.reduce((sum, [value, p]) => sum + ((counts.get(value)?.length ?? 0) - N * p) ** 2 / (N * p), 0);
  const k = cells.length - 1;
  return (Math.cbrt(chi / k) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k));
}

describe('discrete distributions against their probabilities', () => {
  /** P(round(X/q)·q = v) from the distribution function of X. */
  const rounded = (from: number, to: number, q: number, cdf: (x: number) => number): Map<unknown, number> =>
    new Map(
      Array.from({ length: to - from + 1 }, (_, i) => {
        const k = from + i;
        return [quantise(k * q, q), cdf((k + 0.5) * q) - cdf((k - 0.5) * q)] as const;
      }).filter(([, p]) => p > 1e-12),
    );
  const cases: [Distribution, Map<unknown, number>][] = [
    [{ kind: 'int_uniform', min: -1, max: 3 }, new Map([-1, 0, 1, 2, 3].map((v) => [v, 0.2]))],
    [
      { kind: 'categorical', values: ['a', 2, true] },
      new Map<unknown, number>([
        ['a', 1 / 3],
        [2, 1 / 3],
        [true, 1 / 3],
      ]),
    ],
    [
      { kind: 'categorical_w_probabilities', values: ['a', 'b', 'c', 'd'], probabilities: [2, 0, 5, 3] },
      new Map([
        ['a', 0.2],
        ['b', 0],
        ['c', 0.5],
        ['d', 0.3],
      ]),
    ],
    [{ kind: 'q_uniform', min: 0, max: 1, q: 0.25 }, rounded(0, 4, 0.25, between)],
    [{ kind: 'q_uniform', min: 64, max: 512, q: 64 }, rounded(1, 8, 64, (x) => between((x - 64) / 448))],
    [
      { kind: 'q_log_uniform', min: 0, max: Math.log(10), q: 1 },
      rounded(1, 10, 1, (x) => between(Math.log(x) / Math.log(10))),
    ],
    [
      { kind: 'q_log_uniform_values', min: 1, max: 10, q: 1 },
      rounded(1, 10, 1, (x) => between(Math.log(x) / Math.log(10))),
    ],
    [{ kind: 'q_normal', mu: 0, sigma: 1, q: 1 }, rounded(-6, 6, 1, normalCdf)],
    [
      { kind: 'q_log_normal', mu: 0, sigma: 0.5, q: 1 },
      rounded(0, 12, 1, (x) => (x <= 0 ? 0 : normalCdf(Math.log(x) / 0.5))),
    ],
    [
      { kind: 'q_beta', a: 2, b: 3, q: 0.2 },
      rounded(0, 5, 0.2, (x) => (x <= 0 ? 0 : x >= 1 ? 1 : 6 * x ** 2 - 8 * x ** 3 + 3 * x ** 4)),
    ],
  ];
  it.each(cases)('%o (catches a missed end, a biased rounding or unnormalised probabilities)', (d, expected) => {
    // Cells expected less than once in N draws (the far tails) say nothing and are left out.
    const likely = new Map([...expected].filter(([, p]) => p === 0 || p * N > 5));
    const values = sample(d).filter((value) => likely.has(value));
    expect(values.length).toBeGreaterThan(N * 0.999);
    expect(chiScore(values, likely)).toBeLessThan(3.9);
  });

  it('would see a wrong probability (the test can fail)', () => {
    expect(chiScore(sample({ kind: 'int_uniform', min: 0, max: 4 }), new Map([0, 1, 2, 3].map((v) => [v, 0.25])))).toBe(
      Infinity,
    );
    const skewed = new Map([0, 1, 2, 3, 4].map((v) => [v, v === 0 ? 0.22 : 0.195]));
    expect(chiScore(sample({ kind: 'int_uniform', min: 0, max: 4 }), skewed)).toBeGreaterThan(3.9);
  });
});

describe('steps between bounds', () => {
  /** Multiples of q from min to max, all in hundredths: integers are exact. */
  const multiples = (min: number, max: number, q: number): number[] => {
    const found: number[] = [];
    for (let k = Math.floor(min / q) - 1; k * q <= max; k++) if (k * q >= min) found.push((k * q) / 100);
    return found;
  };

  it(`are drawn, each and no other, the rest as W&B rounds, seed ${SEED} (would catch a batch beyond the limit that was set)`, () => {
    const numbers = random();
    let rounds = 0;
    while (rounds < 300) {
      const [min, q] = [numbers.integer(-500, 500), numbers.integer(1, 400)];
      const max = min + numbers.integer(0, 2000);
      const wanted = multiples(min, max, q);
      const d = { kind: 'q_uniform', min: min / 100, max: max / 100, q: q / 100 } as const;
      const steps = stepsWithin(d.min, d.max, d.q);
      if (wanted.length === 0) {
        expect(steps, JSON.stringify(d)).toBeUndefined();
        continue;
      }
      rounds++;
      expect([steps!.low + 0, steps!.high + 0], JSON.stringify(d)).toEqual([wanted[0]! + 0, wanted.at(-1)! + 0]);
      const drawn = new Set<number>();
      for (let i = 0; i < 2000; i++) {
        const u = (i + 0.5) / 2000;
        const value = quantile(d, u) as number;
        drawn.add(value + 0);
        const plain = quantise(d.min + u * (d.max - d.min), d.q);
        if (plain >= d.min && plain <= d.max) expect(value).toBe(plain);
      }
      const all = [...drawn].sort((a, b) => a - b);
      expect(
        all.every((value) => wanted.some((each) => each + 0 === value)),
        JSON.stringify({ d, all }),
      ).toBe(true);
      // A multiple with at least a step's share of the range is met by 2,000 even draws.
      if (wanted.length < 400) expect(all).toHaveLength(wanted.length);
    }
  });

  it.each([
    [{ kind: 'q_uniform', min: 3, max: 8, q: 5 }, [5]],
    [{ kind: 'q_uniform', min: 0.05, max: 0.5, q: 0.2 }, [0.2, 0.4]],
    [{ kind: 'q_uniform', min: 20, max: 100, q: 16 }, [32, 48, 64, 80, 96]],
    [{ kind: 'q_uniform', min: 0.1, max: 0.3, q: 0.1 }, [0.1, 0.2, 0.3]],
    [{ kind: 'q_log_uniform_values', min: 6, max: 31, q: 4 }, [8, 12, 16, 20, 24, 28]],
    [{ kind: 'q_log_uniform', min: Math.log(6), max: Math.log(31), q: 4 }, [8, 12, 16, 20, 24, 28]],
    [{ kind: 'q_log_uniform', min: Math.log(8), max: Math.log(16), q: 8 }, [8, 16]],
    [{ kind: 'q_beta', a: 2, b: 0.5, q: 0.6 }, [0, 0.6]],
  ] as [Distribution, number[]][])('of %o are %o', (d, wanted) => {
    expect([...new Set(sample(d))].sort((a, b) => a - b)).toEqual(wanted);
  });
});

describe('special functions', () => {
  it.each([
    [0.975, 1.959963984540054],
    [0.5, 0],
    [1e-10, -6.361340902404056],
    [0.001, -3.090232306167813],
    [0.92, 1.4050715603096329],
  ])('the normal quantile of %d is %d (catches a mistyped coefficient)', (u, x) => {
    expect(normalQuantile(u)).toBeCloseTo(x, 11);
  });

  it('inverts the normal distribution function everywhere (catches a seam between the three branches)', () => {
    for (let u = 0.0005; u < 1; u += 0.0005) expect(normalCdf(normalQuantile(u))).toBeCloseTo(u, 12);
  });

  it('knows Γ and the incomplete beta function (catches a bad continued fraction)', () => {
    expect(logGamma(5)).toBeCloseTo(Math.log(24), 12);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
    for (const x of [0.01, 0.3, 0.77, 0.999]) {
      expect(betaCdf(x, 2, 3)).toBeCloseTo(6 * x ** 2 - 8 * x ** 3 + 3 * x ** 4, 13);
      expect(betaCdf(betaQuantile(x, 0.3, 7), 0.3, 7)).toBeCloseTo(x, 10);
    }
  });

  // Made by scipy 1.17: stats.beta.ppf and stats.norm.ppf.
  it.each([
    [0.01, 0.35, 0.35, 9.52113678270064e-6],
    [0.01, 0.3, 7, 2.257052653252982e-8],
    [0.05, 0.5, 0.5, 0.0061558297024311365],
    [0.5, 2, 3, 0.3857275681323895],
    [0.95, 2, 3, 0.7513953742698181],
    [0.001, 5, 1, 0.251188643150958],
    [0.25, 12, 0.8, 0.9112707112447749],
    [0.999, 0.7, 40, 0.1411446884252766],
    [0.5, 200, 300, 0.39986656271411614],
    [1e-8, 3, 2, 0.0013576697816042279],
    [0.9, 0.1, 0.2, 0.9978810050249101],
  ])(
    'the %d-quantile of Beta(%d, %d) is %d (catches a preview off by a factor of a thousand in the tail)',
    (u, a, b, x) => {
      expect(betaQuantile(u, a, b) / x).toBeCloseTo(1, 10);
      expect(quantile({ kind: 'beta', a, b }, u)).toBe(betaQuantile(u, a, b));
    },
  );
  it.each([
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798409],
    [1e-5, -4.264890793922825],
    [0.02425, -1.972961051311885],
    [0.3, -0.5244005127080409],
    [0.925, 1.4395314709384563],
    [0.999999, 4.753424308817087],
  ])('the %d-quantile of the normal distribution is %d', (u, x) => {
    expect(normalQuantile(u) / x).toBeCloseTo(1, 14);
  });

  it('draws between bounds that are further apart than a number holds (catches Infinity as a learning rate)', () => {
    for (const [min, max] of [
      [1e-200, 1e200],
      [5e-324, 1.7e308],
      [1e-320, 1e-310],
    ] as const)
      for (let u = 0; u < 1; u += 0.01) {
        const x = quantile({ kind: 'log_uniform_values', min, max }, u) as number;
        expect(x >= min && x <= max, `${x} of ${min} to ${max}`).toBe(true);
        const share = (Math.log(x) - Math.log(min)) / (Math.log(max) - Math.log(min));
        // Of the least numbers there are only a few.
        if (x > 1e-300) expect(share).toBeCloseTo(u, 9);
      }
    for (const u of [0, 0.25, 0.5, 0.999]) {
      const x = quantile({ kind: 'uniform', min: -1.7e308, max: 1.7e308 }, u) as number;
      expect(x / 1.7e308).toBeCloseTo(2 * u - 1, 9);
    }
  });

  it('rounds without dust (catches 0.30000000000000004 as a setting)', () => {
    expect(quantise(0.29, 0.1)).toBe(0.3);
    expect(quantise(1234.4, 64)).toBe(1216);
  });
});

describe('uniforms', () => {
  it('depend on seed, setting and draw alone (catches a draw that shifts when a parameter is added)', () => {
    const a = uniformsOf(5, 'optimizer.lr');
    const later = a.uniform(1000);
    a.uniform(3);
    expect(uniformsOf(5, 'optimizer.lr').uniform(1000)).toBe(later);
    expect(uniformsOf(6, 'optimizer.lr').uniform(1000)).not.toBe(later);
    expect(uniformsOf(5, 'model.width').uniform(1000)).not.toBe(later);
  });
});
