/**
 * NAdam (Dozat 2016) with decoupled weight decay, as torch.optim.NAdam: Adam that looks one step ahead along its momentum. With
 * μ_t = β₁·(1 − ½·0.96^(t·ψ)) and ψ = 0.004, the step is
 *
 *   (μ_{t+1}·m̂ + (1 − μ_t)·ĝ)/(√v̂ + ε),   m̂ = m/(1 − ∏_{i ≤ t+1} μ_i),   ĝ = g/(1 − ∏_{i ≤ t} μ_i),   v̂ = v/(1 − β₂^t)
 */
import { add, div, mul, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { adamConstants } from './adam.ts';
import { biasCorrection, decayed, towards } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

const MOMENTUM_DECAY = 0.004;

const momentumAt = (beta1: number, t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * MOMENTUM_DECAY));

/** ∏_{i ≤ t} μ_i. Below 1e-18 it changes no number that is kept in 32 bits: long runs need no long product. */
function momentumProduct(beta1: number, t: number): number {
  let product = 1;
  for (let i = 1; i <= t && product > 1e-18; i++) product *= momentumAt(beta1, i);
  return product;
}

export const nadam = defineOptimizer({
  name: 'nadam',
  help: 'Adam with Nesterov momentum and decoupled weight decay: like adamw, a little quicker to turn.',
  settings: ['optimizer.beta1', 'optimizer.beta2', 'optimizer.eps'],
  moments: () => ['first', 'second'],
  scalars(c: Config, t: number) {
    const { beta1, beta2 } = adamConstants(c);
    const product = momentumProduct(beta1, t);
    const [here, ahead] = [momentumAt(beta1, t), momentumAt(beta1, t + 1)];
    return {
      ofGradient: (1 - here) / (1 - product),
      ofMomentum: ahead / (1 - product * ahead),
      // Of the mean gradient itself, which the step takes in other parts: for diagnostics.
      bias1: biasCorrection(beta1, t),
      bias2: biasCorrection(beta2, t),
    };
  },
  flopsPerElement: 18,
  apply(p, g, m, h, c) {
    const { beta1, beta2, eps } = adamConstants(c);
    const first = towards(m.first!, g, 1 - beta1);
    const second = towards(m.second!, square(g), 1 - beta2);
    const ahead = add(mul(h.ofMomentum!, first), mul(h.ofGradient!, g));
    const step = div(ahead, add(sqrt(div(second, h.bias2!)), scalar(p, eps)));
    return { p: sub(decayed(p, h), mul(h.lr, step)), moments: { first, second } };
  },
});
