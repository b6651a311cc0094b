/** The operator SparseK against its definition, and the example that its paper draws. */
import { describe, expect, test } from 'vitest';
import { selectPrefixes } from '../../../main/engine/graph/ops/index.ts';
import { random, SEED } from '../../oracles/random.ts';
import { expiryByCounting, thresholdByBisection } from '../../oracles/sparsek.ts';

const clip = (x: number) => Math.min(1, Math.max(0, x));

describe(`SparseK (seed ${SEED})`, () => {
  // Figure 1 of Lou et al. 2024.
  test('selects what the figure of the paper shows', () => {
    const u = [1.6, -2, 0.2, 1, 0.6, 3, 0, 2.8, 2.4];
    const { threshold } = selectPrefixes(u, 3);
    const p = (n: number) => u.slice(0, n).map((x) => Number(clip(x - threshold[n - 1]!).toFixed(12)));
    expect(p(3)).toEqual([1, 1, 1]);
    expect(p(4)).toEqual([1, 0, 1, 1]);
    expect(p(5)).toEqual([1, 0, 0.3, 1, 0.7]);
    expect(p(6)).toEqual([1, 0, 0, 0.7, 0.3, 1]);
    expect(p(7)).toEqual([1, 0, 0, 0.7, 0.3, 1, 0]);
    expect(p(8)).toEqual([0.8, 0, 0, 0.2, 0, 1, 0, 1]);
    expect(p(9)).toEqual([0.1, 0, 0, 0, 0, 1, 0, 1, 0.9]);
    for (const [n, tau] of [
      [5, -0.1],
      [6, 0.3],
      [7, 0.3],
      [8, 0.8],
      [9, 1.5],
    ] as const)
      expect(threshold[n - 1]).toBeCloseTo(tau, 12);
  });

  test('is the projection that bisection finds, in 10,000 random cases (catches a break point too few)', () => {
    const r = random(SEED);
    let [cases, ties] = [0, 0];
    while (cases < 10_000) {
      const length = r.integer(1, 24);
      const k = r.integer(1, 9);
      // Some with many equal scores, some widely spread, some close together.
      const kind = r.pick(['spread', 'close', 'grid'] as const);
      const z = Array.from(r.normals(length), (x) =>
        kind === 'grid' ? Math.round(2 * x) / 2 : kind === 'close' ? x / 10 : 3 * x,
      );
      const { threshold, expiry } = selectPrefixes(z, k);
      let last = -Infinity;
      for (let n = 1; n <= length; n++, cases++) {
        const prefix = z.slice(0, n);
        const wanted = thresholdByBisection(prefix, k);
        const tau = threshold[n - 1]!;
        if (wanted === undefined) expect(tau).toBe(-1e30);
        else {
          const p = prefix.map((x) => clip(x - tau));
          expect(Math.abs(p.reduce((a, b) => a + b) - k)).toBeLessThan(1e-12 * n);
          prefix.forEach((x, i) => expect(Math.abs(p[i]! - clip(x - wanted))).toBeLessThan(1e-9));
        }
        expect(tau, 'thresholds never fall').toBeGreaterThanOrEqual(last - 1e-12);
        last = tau;
        if (new Set(prefix).size < n) ties++;
      }
      z.forEach((_, j) => expect(expiry[j]).toBe(expiryByCounting(z, 0, j, k, length)));
    }
    expect(ties).toBeGreaterThan(500);
  });

  test('with k = 1 is sparsemax (Martins & Astudillo 2016)', () => {
    const r = random(SEED + 1);
    for (let n = 0; n < 50; n++) {
      const z = Array.from(r.normals(12));
      const sorted = z.toSorted((a, b) => b - a);
      let sum = 0;
      let tau = 0;
      sorted.forEach((x, i) => {
        sum += x;
        if (1 + (i + 1) * x > sum) tau = (sum - 1) / (i + 1);
      });
      const own = selectPrefixes(z, 1).threshold[11]!;
      z.forEach((x) => expect(clip(x - own)).toBeCloseTo(Math.max(0, x - tau), 10));
    }
  });
});
