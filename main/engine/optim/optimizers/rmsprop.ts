/** RMSprop (Tieleman & Hinton 2012), centred form by Graves 2013. */
import { add, div, mul, relu, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import { towards, withDecay } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';
import { eps, momentum } from './shared.settings.ts';

export const rmsprop = defineOptimizer({
  name: 'rmsprop',
  help: 'Divides by the root of a running mean of squared gradients: one number per parameter, two or three with options.',
  settings: [
    momentum,
    eps,
    {
      name: 'optimizer.alpha',
      type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
      default: 0.99,
      help: 'Decay of the mean squared gradient of rmsprop.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'optimizer.centered',
      type: { kind: 'bool' },
      default: false,
      help: 'rmsprop by the variance instead of the mean square; one more number per parameter.',
      question: 'stability',
      touches: ['memory', 'stability'],
    },
  ],
  lean: {
    settings: { 'optimizer.momentum': 0, 'optimizer.centered': false },
    words: 'rmsprop keeps one number per parameter',
  },
  moments: (c) => [
    'square',
    ...(c['optimizer.centered'] === true ? ['mean'] : []),
    ...((c['optimizer.momentum'] as number) > 0 ? ['momentum'] : []),
  ],
  flopsPerElement: 14,
  fused: (c) => ({
    rule: 'rmsprop',
    alpha: c['optimizer.alpha'] as number,
    eps: c['optimizer.eps'] as number,
    momentum: c['optimizer.momentum'] as number,
    centered: c['optimizer.centered'] as boolean,
  }),
  apply(p, g0, m, h, c) {
    const g = withDecay(g0, p, h);
    const rate = 1 - (c['optimizer.alpha'] as number);
    const second = towards(m.square!, square(g), rate);
    const mean = m.mean === undefined ? undefined : towards(m.mean, g, rate);
    // Rounding can make it negative where gradients hardly vary, and its root would be NaN.
    const variance = mean === undefined ? second : relu(sub(second, square(mean)));
    const step = div(g, add(sqrt(variance), scalar(p, c['optimizer.eps'] as number)));
    const buffer =
      m.momentum === undefined ? undefined : add(mul(scalar(p, c['optimizer.momentum'] as number), m.momentum), step);
    return {
      p: sub(p, mul(h.lr, buffer ?? step)),
      moments: {
        square: second,
        ...(mean === undefined ? {} : { mean }),
        ...(buffer === undefined ? {} : { momentum: buffer }),
      },
    };
  },
});
