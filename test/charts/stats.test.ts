import { describe as suite, expect, it } from 'vitest';
import { random as seeded } from '../oracles/random.ts';
import { importanceErrors, importanceOf } from '../../preload/charts/stats/importance.ts';
import { paretoFront } from '../../preload/charts/stats/pareto.ts';
import { seededRandom } from '../../preload/charts/stats/random.ts';

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

suite('the errors of importances', () => {
  const noisy = (noise: number, seeds: number) => {
    const random = seeded(5);
    const rows = [1, 2, 3].flatMap((width) =>
      ['a', 'b'].flatMap((norm) => Array.from({ length: seeds }, () => ({ width, norm }))),
    );
    return [rows, rows.map(({ width, norm }) => width + (norm === 'a' ? 0.3 : 0) + noise * random.normal())] as const;
  };
  it('grow with the spread over seeds, and shrink with their number (would catch errors that are made of trees alone)', () => {
    const settings = ['width', 'norm'];
    const effects = (noise: number, seeds: number) =>
      importanceErrors(...noisy(noise, seeds), settings).errors[1].mainEffect;
    expect(effects(0, 3)).toBeCloseTo(0, 12);
    expect(effects(0.5, 3)).toBeGreaterThan(2 * effects(0.1, 3));
    expect(effects(0.3, 12)).toBeLessThan(0.75 * effects(0.3, 3));
    expect(importanceErrors(...noisy(0.3, 3), settings)).toEqual(importanceErrors(...noisy(0.3, 3), settings));
    expect(importanceErrors(...noisy(0.3, 3), settings).errors[1].correlation).toBeNaN();
  });
  it('are unknown with one seed each', () => {
    const { errors, resamples } = importanceErrors(...noisy(0.3, 1), ['width', 'norm']);
    expect(resamples).toBe(0);
    expect(errors.flatMap((each) => Object.values(each)).every(Number.isNaN)).toBe(true);
  });
});
