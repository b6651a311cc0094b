/**
 * Schedule-Free AdamW (Defazio et al. 2024). Gradients are taken at y, steps are made by z, and x, the weighted mean of all z, is what is
 * evaluated and used. With γ the learning rate, which may warm up, and c = γ²/Σγ²:
 *
 *   z ← z − γ·(g/(√v̂ + ε) + λ·y),   x ← (1 − c)·x + c·z,   y ← (1 − β₁)·z + β₁·x
 *
 * The parameter is y. Beside v it keeps the lead of z over y, which begins at 0 like every state, and Σγ²: x = y − lead·(1 − β₁)/β₁.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { add, div, maximum, mul, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import { adamConstants } from './adam.ts';
import { biasCorrection, towards } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

/** x is y and this times the lead. */
const leadOfMean = (c: Config): number => -(1 - adamConstants(c).beta1) / adamConstants(c).beta1;

export const scheduleFree = defineOptimizer({
  name: 'schedule_free',
  help: 'AdamW that needs no end: a mean of its steps takes the place of a falling rate, and can be used at any time. Two more numbers per parameter.',
  settings: ['optimizer.beta1', 'optimizer.beta2', 'optimizer.eps'],
  rules: [
    {
      code: 'optimizer.schedule_free_beta1',
      settings: ['optimizer.beta1'],
      severity: 'error',
      check: (config) =>
        (config['optimizer.beta1'] as number) > 0
          ? null
          : problem(
              'optimizer.beta1',
              0,
              'a number above 0 and below 1 with schedule_free: the share of the mean',
              0.9,
            ),
    },
    {
      code: 'optimizer.schedule_free_average',
      settings: ['optimizer.average'],
      severity: 'warning',
      check: (config) =>
        config['optimizer.average'] === 'none'
          ? null
          : problem(
              'optimizer.average',
              config['optimizer.average'],
              'none',
              'none',
              'schedule_free is evaluated at a mean already',
            ),
    },
  ],
  derived: [
    { setting: 'schedule.kind', rule: 'constant with schedule_free, which needs no other', value: () => 'constant' },
  ],
  moments: () => ['lead', 'second', 'weight'],
  momentShape: (moment, shape) => (moment === 'weight' ? [] : shape),
  // A sum of squared rates stops growing in 16 bits.
  momentType: (moment) => (moment === 'weight' ? 'f32' : undefined),
  scalars: (c, t) => ({ bias2: biasCorrection(adamConstants(c).beta2, t) }),
  evaluated: (c) => ({ p: 1, lead: leadOfMean(c) }),
  flopsPerElement: 22,
  apply(p, g, m, h, c) {
    const { beta1, beta2, eps } = adamConstants(c);
    const second = towards(m.second!, square(g), 1 - beta2);
    const step = add(div(g, add(sqrt(div(second, h.bias2!)), scalar(g, eps))), mul(h.decay, p));
    const mean = add(p, mul(scalar(p, leadOfMean(c)), m.lead!));
    const fast = sub(add(p, m.lead!), mul(h.lr, step));
    const weight = add(m.weight!, square(h.lr));
    // At a rate of 0 nothing has a weight yet.
    const share = div(square(h.lr), maximum(weight, scalar(weight, 1e-30)));
    const newMean = add(mean, mul(share, sub(fast, mean)));
    const lead = mul(scalar(p, beta1), sub(fast, newMean));
    return { p: sub(fast, lead), moments: { lead, second, weight } };
  },
});
