import { defineDecay } from './decay.ts';

export const constant = defineDecay({
  name: 'constant',
  help: 'Stays as it is: with the decoupled forms what is forgotten at a step still falls with the learning rate.',
  needsEnd: false,
  factor: () => () => 1,
});
