/** λ·m beside a learning rate of m times its peak: with a decoupled decay, what a step forgets is quadratic in the rate. */
import { defineDecay } from './decay.ts';

export const withRate = defineDecay({
  name: 'with_rate',
  help: 'Follows the learning rate: as many times its peak as that is.',
  needsEnd: false,
  factor:
    () =>
    ({ rate }) =>
      rate,
});
