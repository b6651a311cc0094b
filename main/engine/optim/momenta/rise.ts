/** From optimizer.momentum_start to the momentum that is set, in a straight line (Muon of modded-nanogpt). */
import { defineMomentum } from './momentum.ts';
import { startAndRise } from './shared.settings.ts';

export const rise = defineMomentum({
  name: 'rise',
  help: 'Rises from optimizer.momentum_start while the first gradients still turn quickly.',
  settings: startAndRise,
  needsEnd: false,
  at(c, run) {
    const start = c['optimizer.momentum_start'] as number;
    return (set, { position }) => {
      const from = Math.min(start, set);
      return from + (set - from) * run.rise(position);
    };
  },
});
