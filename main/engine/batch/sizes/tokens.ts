import { problem } from '../../../../preload/shared/settings/values.ts';
import { always } from '../milestones.ts';
import { defineBatch } from './size.ts';

const TOKENS = 'batch.tokens';

export const tokens = defineBatch({
  name: 'tokens',
  help: 'As many sequences as batch.tokens hold at their present length: short sequences come in larger batches.',
  counts: 'tokens',
  settings: [
    {
      name: TOKENS,
      type: { kind: 'int', min: 1, max: 2 ** 40 },
      default: 16384,
      unit: 'tokens',
      help: 'Tokens of a batch at most: sequences = this ÷ their length, rounded down.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
  ],
  rules: [
    {
      code: 'batch.tokens_hold_context',
      settings: [TOKENS, 'model.context'],
      severity: 'error',
      yields: [TOKENS],
      check: (config) => {
        const [size, context] = [config[TOKENS] as number, config['model.context'] as number];
        return size >= context
          ? null
          : problem(TOKENS, size, `at least model.context ${context}, one sequence`, context);
      },
    },
  ],
  sizes: (c) => always(c[TOKENS] as number),
});
