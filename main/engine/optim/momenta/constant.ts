import { CONSTANT, defineMomentum } from './momentum.ts';

export const constant = defineMomentum({
  name: CONSTANT,
  help: 'Stays as it is set.',
  needsEnd: false,
  at: () => (set) => set,
});
