import { defineDecay } from './decay.ts';

export const linear = defineDecay({
  name: 'linear',
  help: 'Falls in a straight line to nothing at the end of the run.',
  needsEnd: true,
  factor:
    (_, { progress }) =>
    ({ position }) =>
      1 - progress(position),
});
