/** The mirror image of the learning rate (Smith & Topin 2018): as set where the rate is nothing, optimizer.momentum_start at its peak. */
import { defineMomentum } from './momentum.ts';
import { start } from './shared.settings.ts';

export const cycle = defineMomentum({
  name: 'cycle',
  help: 'Falls where the learning rate rises and rises where it falls, as one_cycle is used.',
  settings: [start],
  needsEnd: false,
  at(c) {
    const low = c['optimizer.momentum_start'] as number;
    return (set, { rate }) => set - (set - Math.min(low, set)) * Math.min(1, rate);
  },
});
