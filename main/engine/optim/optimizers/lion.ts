/** Lion (Chen et al. 2023): the sign of a mean of gradient and momentum, with decoupled weight decay. */
import { cast, greater, less, mul, scalar, sub } from '../../graph/ops/index.ts';
import { decayed, towards } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

export const lion = defineOptimizer({
  name: 'lion',
  help: 'Steps of one size, by the sign of a momentum: one number per parameter. Wants a third to a tenth of the rate of adamw.',
  settings: ['optimizer.beta1', 'optimizer.beta2'],
  moments: () => ['momentum'],
  flopsPerElement: 10,
  apply(p, g, { momentum }, h, c) {
    const direction = towards(momentum!, g, 1 - (c['optimizer.beta1'] as number));
    const zero = scalar(p, 0);
    const sign = sub(cast(greater(direction, zero), 'f32'), cast(less(direction, zero), 'f32'));
    return {
      p: sub(decayed(p, h), mul(h.lr, sign)),
      moments: { momentum: towards(momentum!, g, 1 - (c['optimizer.beta2'] as number)) },
    };
  },
});
