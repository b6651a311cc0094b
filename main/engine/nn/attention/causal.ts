import { defineAttention } from './attention.ts';

export const causal = defineAttention({
  name: 'causal',
  help: 'Every token sees all tokens before it: the usual attention.',
  mask: () => ({ window: 0 }),
});
