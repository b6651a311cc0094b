/** λ·(1 + cos πq)/2 at the share q of the run (nanochat). */
import { defineDecay } from './decay.ts';

export const cosine = defineDecay({
  name: 'cosine',
  help: 'Falls along half a cosine to nothing at the end of the run.',
  needsEnd: true,
  factor:
    (_, { progress }) =>
    ({ position }) =>
      (1 + Math.cos(Math.PI * progress(position))) / 2,
});
