/**
 * An exponential moving average, a ← a + s·(w − a) with s = max(1 − decay, min(1, 10/(9 + t))): it begins as the first weights, so that
 * nothing of the random start stays in it, and remembers more the longer the run is, up to its decay.
 */
import { defineAverage } from './average.ts';

export const ema = defineAverage({
  name: 'ema',
  help: 'An exponential moving average: usually better than the latest weights while the learning rate is high.',
  settings: [
    {
      name: 'optimizer.average_decay',
      type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
      default: 0.999,
      help: 'What of the average stays at each step (ema): 0.999 remembers about 1,000 steps.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  share: (c, t) => Math.max(1 - (c['optimizer.average_decay'] as number), Math.min(1, 10 / (9 + t))),
});
