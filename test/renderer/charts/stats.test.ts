import { describe as suite, expect, it } from 'vitest';
import { bandOf, describe, differs, quantileSorted } from '../../../preload/shared/statistics/describe.ts';
import { importanceOf } from '../../../renderer/charts/stats/importance.ts';
import { paretoFront } from '../../../renderer/charts/stats/pareto.ts';
import { seededRandom } from '../../../renderer/charts/stats/random.ts';
import { pearson, ranks, spearman } from '../../../preload/shared/statistics/spearman.ts';
import { t95, tDistribution, tQuantile } from '../../../preload/shared/statistics/studentT.ts';

suite("Student's t", () => {
  // Any printed table, e.g. NIST/SEMATECH e-Handbook 1.3.6.7.2.
  const table: readonly (readonly [number, number, number])[] = [
    [0.975, 1, 12.7062],
    [0.975, 2, 4.3027],
    [0.975, 3, 3.1824],
    [0.975, 4, 2.7764],
    [0.975, 9, 2.2622],
    [0.975, 30, 2.0423],
    [0.975, 100, 1.984],
    [0.95, 1, 6.3138],
    [0.95, 5, 2.015],
    [0.995, 10, 3.1693],
    [0.9, 20, 1.3253],
  ];
  it.each(table)(
    'quantile %f with %i degrees of freedom is the table’s (would catch the normal quantile, or n for n − 1)',
    (p, df, t) => {
      expect(tQuantile(p, df)).toBeCloseTo(t, 3);
      expect(tQuantile(1 - p, df)).toBeCloseTo(-t, 3);
    },
  );
  it('agrees with the closed forms for 1 and 2 degrees of freedom', () => {
    for (const t of [-7, -0.3, 0, 0.5, 2, 40]) {
      expect(tDistribution(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(tDistribution(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
    }
  });
  it('has no interval for a single value', () => {
    expect(t95(1)).toBeNaN();
    expect(t95(2)).toBeCloseTo(12.7062, 3);
  });
});

suite('mean and spread', () => {
  it('divides by n − 1 (would catch the population sd)', () => {
    const d = describe([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(d.mean).toBe(5);
    expect(d.sd).toBeCloseTo(Math.sqrt(32 / 7), 14);
    expect(d.se).toBeCloseTo(Math.sqrt(32 / 7 / 8), 14);
    const [low, high] = bandOf('ci95', d);
    // t(0.975, 7) = 2.36462
    expect(high - 5).toBeCloseTo(2.36462 * d.se, 4);
    expect(low + high).toBeCloseTo(10, 12);
    expect(bandOf('minmax', d)).toEqual([2, 9]);
  });
  it('keeps its digits when values differ in the ninth place', () => {
    expect(describe([1e9 + 1, 1e9 + 2, 1e9 + 3]).sd).toBe(1);
  });
  it('counts diverged seeds instead of averaging them in, and gives one value no sd', () => {
    const d = describe([Number.NaN, 3, Infinity]);
    expect(d).toMatchObject({ n: 1, mean: 3, notFinite: 2 });
    expect(d.sd).toBeNaN();
    expect(bandOf('sd', d)[0]).toBeNaN();
  });
  it('tells settings apart by Welch’s test', () => {
    // SciPy 1.x, ttest_ind(equal_var=False): p = 0.0214 with 24.99 degrees of freedom, and p = 0.149 with 9.90.
    const a = [27.5, 21, 19, 23.6, 17, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19, 21.7, 21.4];
    const b = [27.1, 22, 20.8, 23.4, 23.4, 23.5, 25.8, 22, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
    const c = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
    const d = [
      21.5, 22.8, 21, 23, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8, 20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5,
      21.8,
    ];
    expect(differs(describe(a), describe(b))).toBe(true);
    expect(differs(describe(c), describe(d))).toBe(false);
    expect(differs(describe([1]), describe(d))).toBeUndefined();
  });
  it('interpolates quantiles as R does by default', () => {
    expect(quantileSorted([1, 2, 3, 4], 0.4)).toBeCloseTo(2.2, 14);
    expect(quantileSorted([5], 0.9)).toBe(5);
  });
});

suite('rank correlation', () => {
  it('shares ranks among equals', () => {
    expect(ranks([10, 20, 10, 30])).toEqual([1.5, 3, 1.5, 4]);
  });
  it('is the published value of the textbook example (would catch sorting numbers as text)', () => {
    // IQ and hours of television, Wikipedia "Spearman's rank correlation coefficient": ρ = −29/165.
    const iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110];
    const hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17];
    expect(spearman(iq, hours)).toBeCloseTo(-29 / 165, 12);
    expect(spearman([1, 2, 3], [1, 8, 27])).toBeCloseTo(1, 14);
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});

suite('importance', () => {
  const random = seededRandom(7);
  const rows = Array.from({ length: 120 }, (_, i) => ({
    lr: 10 ** -(1 + (i % 4)),
    width: 32 * 2 ** (Math.floor(i / 4) % 3),
    kind: ['a', 'b'][Math.floor(i / 12) % 2],
    useless: Math.floor(random() * 3),
  }));
  const target = rows.map(
    (r) => 2 * Math.log10(r.lr) + (r.kind === 'b' ? 1 : 0) + 0.01 * r.width + 0.05 * (random() - 0.5),
  );

  it('orders settings by their effect and gives a useless one nothing', () => {
    const { rows: found, explained, warning } = importanceOf(rows, target, ['useless', 'width', 'kind', 'lr']);
    expect(found.map(({ setting }) => setting)).toEqual(['lr', 'kind', 'width', 'useless']);
    expect(found[0].importance).toBeGreaterThan(0.6);
    expect(found[3].importance).toBeLessThan(0.02);
    expect(found.reduce((sum, { importance }) => sum + importance, 0)).toBeCloseTo(1, 12);
    expect(explained).toBeGreaterThan(0.9);
    expect(warning).toBeUndefined();
    expect(found[0].correlation).toBeGreaterThan(0.8);
    expect(found[1].correlation).toBeNaN();
  });
  it('main effect is the share of variance between the values: 4·9/(4·9 + …) of a full grid', () => {
    // y = 3·a + b, a, b ∈ {0, 1}: Var = (9 + 1)/4, of which a has 9/4.
    const grid = [0, 0, 1, 1].map((a, i) => ({ a, b: i % 2 }));
    const { rows: found } = importanceOf(
      grid,
      grid.map(({ a, b }) => 3 * a + b),
      ['a', 'b'],
    );
    expect(found.find(({ setting }) => setting === 'a')?.mainEffect).toBeCloseTo(0.9, 12);
    expect(found.find(({ setting }) => setting === 'b')?.mainEffect).toBeCloseTo(0.1, 12);
  });
  it('sees an interaction without any main effect (would catch a ranking by correlation alone)', () => {
    const xor = rows.map((_, i) => ({ a: i % 2, b: (i >> 1) % 2, c: (i >> 2) % 2 }));
    const { rows: found } = importanceOf(
      xor,
      xor.map(({ a, b }) => a ^ b),
      ['a', 'b', 'c'],
    );
    expect(found[2].setting).toBe('c');
    expect(found[0].importance).toBeGreaterThan(0.3);
    expect(found[0].mainEffect).toBeLessThan(1e-9);
  });
  it('is the same every time, leaves diverged runs out, and warns when there are few', () => {
    expect(importanceOf(rows, target, ['lr', 'kind'])).toEqual(importanceOf(rows, target, ['lr', 'kind']));
    const few = importanceOf(rows.slice(0, 9), [...target.slice(0, 8), Number.NaN], ['lr', 'kind']);
    expect(few.n).toBe(8);
    expect(few.warning).toMatch(/8 runs for 2 settings/u);
  });
  it('gives nothing for a constant metric instead of dividing by zero', () => {
    const { rows: found } = importanceOf(
      rows,
      rows.map(() => 1),
      ['lr'],
    );
    expect(found[0]).toMatchObject({ importance: 0, mainEffect: 0 });
  });
});

suite('Pareto front', () => {
  it('keeps the points that none beats (would catch keeping equal or dominated ones)', () => {
    const x = [1, 2, 2, 3, 4, 1, Number.NaN];
    const y = [5, 3, 4, 3, 1, 5, 0];
    expect(paretoFront(x, y)).toEqual([0, 1, 4]);
  });
  it('agrees with the definition on random points', () => {
    const random = seededRandom(3);
    const x = Array.from({ length: 200 }, random);
    const y = Array.from({ length: 200 }, random);
    const slow = x.map((_, i) => i).filter((i) => !x.some((_, j) => x[j] <= x[i] && y[j] <= y[i] && j !== i));
    expect(paretoFront(x, y)).toEqual(slow.sort((a, b) => x[a] - x[b]));
  });
});
