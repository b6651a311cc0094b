import { defineAccumulation } from './accumulation.ts';

export const fixed = defineAccumulation({
  name: 'fixed',
  help: 'A step takes one batch.',
});
