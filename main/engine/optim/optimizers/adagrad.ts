/** Adagrad (Duchi et al. 2011). */
import { add, div, mul, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import { withDecay } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';
import { eps } from './shared.settings.ts';

export const adagrad = defineOptimizer({
  name: 'adagrad',
  help: 'Divides by the root of all squared gradients so far: steps only shrink; good for rare tokens.',
  settings: [eps],
  moments: () => ['sum'],
  flopsPerElement: 8,
  fused: (c) => ({ rule: 'adagrad', eps: c['optimizer.eps'] as number }),
  apply(p, g0, { sum }, h, c) {
    const g = withDecay(g0, p, h);
    const next = add(sum!, square(g));
    const step = div(g, add(sqrt(next), scalar(p, c['optimizer.eps'] as number)));
    return { p: sub(p, mul(h.lr, step)), moments: { sum: next } };
  },
});
