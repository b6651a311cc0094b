import { describe, expect, test } from 'vitest';
import { biasCorrection, hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { testConfig } from '../train/helpers.ts';

describe('hyper-parameters of a step', () => {
  test('bias corrections are exact for β near 1 and for many steps (catches 1 − β ** t, which loses digits)', () => {
    expect(biasCorrection(0.9, 1)).toBeCloseTo(0.1, 15);
    expect(biasCorrection(0.9, 2)).toBeCloseTo(0.19, 15);
    expect(biasCorrection(0, 5)).toBe(1);
    const beta = 1 - 2 ** -40;
    expect(Math.abs(biasCorrection(beta, 1) / 2 ** -40 - 1)).toBeLessThan(1e-12);
    expect(biasCorrection(0.99, 1e6)).toBe(1);
  });

  test('t counts from 1, groups get their multiples (catches a first step divided by zero)', () => {
    const config = testConfig({ 'optimizer.lr': 0.01, 'optimizer.beta1': 0.9, 'optimizer.beta2': 0.99 });
    const groups = [
      { name: 'matrix', lrScale: 1, weightDecay: 0.1 },
      { name: 'vector', lrScale: 3, weightDecay: 0 },
    ];
    const { lr, inputs } = hyperParameters(config, groups, () => 0.5, { step: 0, tokens: 0 });
    expect(lr).toBeCloseTo(0.005, 15);
    const numbers = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value[0]]));
    expect(numbers).toEqual({
      'lr.matrix': Math.fround(0.005),
      'lr.vector': Math.fround(0.015),
      'decay.matrix': Math.fround(0.1),
      'decay.vector': 0,
      bias1: Math.fround(1 - 0.9),
      bias2: Math.fround(1 - 0.99),
    });
  });

  test('optimizers without bias correction get 1', () => {
    for (const kind of ['sgd', 'adagrad', 'rmsprop']) {
      const { inputs } = hyperParameters(testConfig({ 'optimizer.kind': kind }), [], () => 1, { step: 4, tokens: 0 });
      expect([inputs.bias1![0], inputs.bias2![0]]).toEqual([1, 1]);
    }
  });
});
