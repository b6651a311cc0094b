import { problem } from '../../../../preload/shared/settings/values.ts';
import { defineAttention } from './attention.ts';

export const window = defineAttention({
  name: 'window',
  help: 'A token sees the last model.window tokens, itself included: less memory and time for long contexts.',
  settings: [
    {
      name: 'model.window',
      type: { kind: 'int', min: 0, max: 1048576 },
      default: 0,
      unit: 'tokens',
      help: 'Sliding window: tokens a position sees, itself included; 0 means the whole context.',
      auto: 'model.context',
      question: 'capacity',
      touches: ['memory', 'time'],
    },
  ],
  rules: [
    {
      code: 'attention.window_missing',
      settings: ['attention.kind', 'model.window', 'model.context'],
      severity: 'error',
      check: (config) => {
        const context = config['model.context'] as number;
        if ((config['model.window'] as number) > 0) return null;
        const allowed = `from 1 to model.context ${context} with attention.kind window`;
        return problem('model.window', 0, allowed, Math.max(1, context >> 1));
      },
    },
  ],
  mask: (c) => {
    const [size, context] = [c['model.window'] as number, c['model.context'] as number];
    return { window: size < context ? size : 0 };
  },
});
