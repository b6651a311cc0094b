/** The mean of all weights since a step (Izmailov et al. 2018): the last part of a run, where the rate is constant or cyclic. */
import { defineAverage } from './average.ts';

export const mean = defineAverage({
  name: 'mean',
  help: 'The mean of the weights after every step from optimizer.average_from_step on (stochastic weight averaging).',
  settings: [
    {
      name: 'optimizer.average_from_step',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'steps',
      help: 'Steps before the first that counts in the mean.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  share: (c, t) => 1 / Math.max(1, t - (c['optimizer.average_from_step'] as number)),
});
