import { defineParametrization } from './parametrization.ts';

export const standard = defineParametrization({
  name: 'standard',
  help: 'First values and learning rates as the model and the optimizer say, whatever the size: each width wants a learning rate of its own.',
});
