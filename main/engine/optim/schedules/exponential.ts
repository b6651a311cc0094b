/** m = base^s at step s, warm-up or not: what hlb-gpt lets the slopes of its positions follow, with a base of 0.995. */
import { defineSchedule } from './schedule.ts';

export const exponential = defineSchedule({
  name: 'exponential',
  help: 'Falls by the same share at each step, without an end: for parts of a model that must settle early.',
  settings: [
    {
      name: 'schedule.base',
      type: { kind: 'float', min: 0, max: 1, exclusiveMin: true },
      default: 0.999,
      help: 'What exponential multiplies the learning rate by at each step (0.995 for the positions of hlb-gpt).',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: false,
  after(c, { at }) {
    const base = c['schedule.base'] as number;
    return (position) => base ** at(position);
  },
});
