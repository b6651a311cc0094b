import { describe, expect, test } from 'vitest';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { adamw } from '../../../main/engine/optim/optimizers/adamw.ts';
import { biasCorrection } from '../../../main/engine/optim/optimizers/formulas.ts';
import { optimizerFamily } from '../../../main/engine/optim/optimizers/index.ts';
import { testConfig } from '../train/helpers.ts';

/** Numbers of a step beside rates and decays, by optimizer. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  adam: ['bias1', 'bias2'],
  adamw: ['bias1', 'bias2'],
  // bias1 is read by what looks at the step, not by the step.
  nadam: ['ofGradient', 'ofMomentum', 'bias1', 'bias2'],
  schedule_free: ['bias2'],
  adafactor: ['rate'],
  muon: ['momentum'],
};

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
    const { lr, inputs } = hyperParameters(
      config,
      { groups, rules: [{ name: 'adamw', rule: adamw, settings: config }] },
      () => 0.5,
      { step: 0, tokens: 0 },
    );
    expect(lr).toBeCloseTo(0.005, 15);
    const numbers = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value[0]]));
    expect(numbers).toEqual({
      'lr.matrix': Math.fround(0.005),
      'lr.vector': Math.fround(0.015),
      'decay.matrix': Math.fround(0.1),
      'decay.vector': 0,
      'adamw.bias1': Math.fround(1 - 0.9),
      'adamw.bias2': Math.fround(1 - 0.99),
    });
  });

  test('are the scalars of the rules in use, and no others (catches a number that no kernel reads)', () => {
    for (const rule of optimizerFamily.kinds) {
      const config = testConfig({ 'optimizer.kind': rule.name });
      const rules = [{ name: rule.name, rule, settings: config }];
      const { inputs } = hyperParameters(config, { groups: [], rules }, () => 1, { step: 4, tokens: 0 });
      expect(Object.keys(inputs)).toEqual((OWN[rule.name] ?? []).map((name) => `${rule.name}.${name}`));
    }
  });
});
