import { describe, expect, it } from 'vitest';
import { clippingOf, healthOf, spikesOf } from '../../../renderer/views/run/health.ts';

const logged = (value: readonly number[]) => ({ step: value.map((_, i) => i + 1), value });
/** Without the spaces that keep a number and its unit together. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u202f', ' ');
/** Falls slowly, with noise that repeats. */
const calm = (length: number): number[] =>
  Array.from({ length }, (_, i) => 3 - 0.001 * i + 0.02 * Math.sin(12.9898 * i));

describe('gradient clipping', () => {
  it('counts the norms above the threshold among the finite ones; a norm at the threshold is not changed', () => {
    expect(clippingOf(logged([0.5, 1, 1.0001, 3, Number.NaN, Infinity]), 1)).toEqual({ steps: 4, clipped: 2 });
  });
  it('is off at 0, where every norm is larger', () => {
    expect(clippingOf(logged([0.5, 2]), 0)).toEqual({ steps: 2, clipped: 0 });
    const [verdict] = healthOf({ gradNorm: logged([0.5, 2]), clip: 0 });
    expect(verdict.text).toContain('not clipped');
  });
  it('says its share of the steps: 12 of 100', () => {
    const norms = Array.from({ length: 100 }, (_, i) => (i < 12 ? 2 : 0.5));
    const [verdict] = healthOf({ gradNorm: logged(norms), clip: 1 });
    expect(plain(verdict.text)).toBe('Gradients were clipped to 1 in 12 % of the steps (12 of 100)');
    expect(verdict.tone).toBe('good');
  });
});

describe('spikes', () => {
  it('are none in ordinary noise, nor in a constant', () => {
    expect(spikesOf(logged(calm(500)))).toEqual([]);
    expect(spikesOf(logged(Array.from({ length: 200 }, () => 2)))).toEqual([]);
  });
  it('are found where they are, neighbours once with their highest value', () => {
    const values = calm(500);
    values[300] += 0.6;
    values[301] += 0.9;
    values[302] += 0.5;
    const spikes = spikesOf(logged(values));
    expect(spikes.map(({ step }) => step)).toEqual([302]);
    expect(spikes[0].value).toBeCloseTo(values[301], 12);
  });
  it('are not the steep beginning', () => {
    expect(spikesOf(logged(Array.from({ length: 200 }, (_, i) => 8 * Math.exp(-i / 20) + 2)))).toEqual([]);
  });
});

describe('ratios of updates to weights', () => {
  const verdict = (updates: Record<string, readonly number[]>) =>
    healthOf({ updates: Object.fromEntries(Object.entries(updates).map(([k, v]) => [k, logged(v)])), clip: 0 }).map(
      ({ tone, text }) => [tone, plain(text)],
    );
  it('are judged by the middle of the weights of layers, not by the first steps or other weights', () => {
    expect(verdict({ vector: [0.9], matrix: [0.3, 0.002, 0.001, 0.0012, 0] })).toEqual([
      ['good', 'A step moves the weights of layers by 0.0012 of their length, as is usual'],
    ]);
    expect(verdict({ matrix: [0.05] })).toEqual([
      ['info', 'A step moves the weights of layers by 0.050 of their length, a long step'],
    ]);
    expect(verdict({ matrix: [2e-5, 2e-5] })[0]![0]).toBe('info');
  });
  it('say nothing of runs that never measured them', () => {
    expect(verdict({})).toEqual([]);
    expect(verdict({ matrix: [Number.NaN] })).toEqual([]);
  });
});

describe('the verdicts of a run', () => {
  it('name NaN and infinity as wrong', () => {
    const verdicts = healthOf({ trainLoss: logged([5, 4, Number.NaN]), gradNorm: logged([1, 2, Infinity]), clip: 1 });
    expect(verdicts[0]).toMatchObject({ tone: 'bad' });
    expect(plain(verdicts[0].text)).toBe(
      'train/loss was NaN or infinite in 1 step, grad/norm was NaN or infinite in 1 step',
    );
  });
  it('see a loss that rises after its best, and memory that grows', () => {
    const mib = 2 ** 20;
    const memory = Array.from({ length: 100 }, (_, i) => 100 * mib + i * 2 * mib);
    const verdicts = healthOf({ validationLoss: logged([3, 2, 2.5]), memory: logged(memory), clip: 0 });
    expect(verdicts.map(({ about, tone }) => [about, tone])).toEqual([
      ['Validation', 'warn'],
      ['Memory', 'warn'],
    ]);
    expect(verdicts[0].text).toContain('at step 2');
    const steady = healthOf({ memory: logged(memory.map(() => 100 * mib)), clip: 0 });
    expect(steady[0].tone).toBe('good');
  });
  it('say nothing of what was not recorded', () => expect(healthOf({ clip: 1 })).toEqual([]));
});
