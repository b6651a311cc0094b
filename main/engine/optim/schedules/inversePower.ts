/** m = ((s + 1)/max(W, 1))^−power after a warm-up of W steps, which is 1 where it ends (power ½: Vaswani et al. 2017). */
import { defineSchedule } from './schedule.ts';

export const inversePower = defineSchedule({
  name: 'inverse_power',
  help: 'Falls as a power of the steps made, without an end: 0.5 is the inverse square root.',
  settings: [
    {
      name: 'schedule.power',
      type: { kind: 'float', min: 0, max: 4, exclusiveMin: true },
      default: 0.5,
      help: 'Exponent of a power law (0.5: one over the square root of the step; hlb-gpt takes 0.08).',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: false,
  after(c, { warmup, at }) {
    const power = c['schedule.power'] as number;
    return (position) => ((at(position, warmup) + 1) / Math.max(warmup.steps, 1)) ** -power;
  },
});
