/** m = (s − W + 1)^−power after a warm-up of W steps (hlb-gpt's infinite schedule): no end, and no length but that of the warm-up. */
import { defineSchedule } from './schedule.ts';

export const powerLaw = defineSchedule({
  name: 'power_law',
  help: 'Falls as a power of the steps since the warm-up, without an end: for runs that are stopped when they are good enough.',
  settings: ['schedule.power'],
  needsEnd: false,
  after(c, { warmup, at }) {
    const power = c['schedule.power'] as number;
    return (position) => (at(position, warmup) - warmup.steps + 1) ** -power;
  },
});
