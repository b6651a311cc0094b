/** AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019). */
import { mul, scalar, sub } from '../../graph/ops/index.ts';
import { adamConstants, adamFamily, adamStep } from './adam.ts';
import { defineOptimizer } from './optimizer.ts';

export const adamw = defineOptimizer({
  ...adamFamily,
  name: 'adamw',
  help: 'Adam with decoupled weight decay: the usual choice for transformers; two more numbers per parameter.',
  fused: (c) => ({ rule: 'adamw', ...adamConstants(c) }),
  apply(p, g, m, h, c) {
    const { step, moments } = adamStep(g, m, h, c);
    const kept = mul(p, sub(scalar(p, 1), mul(h.lr, h.decay)));
    return { p: sub(kept, mul(h.lr, step)), moments };
  },
});
