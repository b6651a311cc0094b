/**
 * One cycle (Smith & Topin 2018), as torch.optim.lr_scheduler.OneCycleLR with cosine annealing: up from schedule.rise_from of the peak in
 * the first part of the run, down to schedule.final in the rest.
 */
import { defineSchedule } from './schedule.ts';
import { ofAnEnd } from './shared.settings.ts';

const between = (from: number, to: number, q: number): number => to + ((from - to) * (1 + Math.cos(Math.PI * q))) / 2;

export const oneCycle = defineSchedule({
  name: 'one_cycle',
  help: 'Rises along half a cosine for the first part and falls along another for the rest: needs no warm-up of its own.',
  settings: [
    ...ofAnEnd,
    {
      name: 'schedule.rise_fraction',
      type: { kind: 'float', min: 0, max: 1, exclusiveMin: true, exclusiveMax: true },
      default: 0.3,
      unit: 'fraction',
      help: 'First part of the way to the horizon in which one_cycle rises.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.rise_from',
      type: { kind: 'float', min: 0, max: 1 },
      default: 0.04,
      unit: 'fraction',
      help: 'Where the rise of one_cycle begins, as a fraction of the peak.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: true,
  after(c, { progress }) {
    const [rise, from] = [c['schedule.rise_fraction'] as number, c['schedule.rise_from'] as number];
    const final = c['schedule.final'] as number;
    return (position) => {
      const share = progress(position);
      return share < rise ? between(from, 1, share / rise) : between(1, final, (share - rise) / (1 - rise));
    };
  },
});
