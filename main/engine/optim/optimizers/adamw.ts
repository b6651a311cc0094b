/** AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019). */
import { mul, sub } from '../../graph/ops/index.ts';
import { adamFamily, adamStep, fusedAdam } from './adam.ts';
import { decayed } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

export const adamw = defineOptimizer({
  ...adamFamily,
  name: 'adamw',
  help: 'Adam with decoupled weight decay: the usual choice for transformers; two more numbers per parameter.',
  fused: (c) => fusedAdam('adamw', c),
  apply(p, g, m, h, c) {
    const { step, moments } = adamStep(g, m, h, c);
    return { p: sub(decayed(p, h), mul(h.lr, step)), moments };
  },
});
