/**
 * Up like `rise`, and down to optimizer.momentum_final in the last part of the run (nanochat). Where both overlap, in short runs, the fall
 * begins from where the rise is: neither overrides the other.
 */
import { defineMomentum } from './momentum.ts';
import { rise } from './rise.ts';
import { startAndRise } from './shared.settings.ts';

export const riseAndFall = defineMomentum({
  name: 'rise_and_fall',
  help: 'Rises at first, and falls in the last part of the run, as the learning rate does.',
  settings: [
    ...startAndRise,
    {
      name: 'optimizer.momentum_final',
      type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
      default: 0.9,
      help: 'Momentum at the end of the run (rise_and_fall).',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'optimizer.momentum_fall',
      type: { kind: 'float', min: 0, max: 1, exclusiveMin: true },
      default: 0.65,
      unit: 'fraction',
      help: 'Last part of the run in which the momentum falls (rise_and_fall).',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: true,
  at(c, run) {
    const [final, part] = [c['optimizer.momentum_final'] as number, c['optimizer.momentum_fall'] as number];
    const rising = rise.at(c, run);
    return (set, moment) => {
      const risen = rising(set, moment);
      const fallen = Math.max(0, (run.progress(moment.position) - (1 - part)) / part);
      return risen + (final - risen) * fallen;
    };
  },
});
