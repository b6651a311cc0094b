import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { always } from '../milestones.ts';
import { defineBatch } from './size.ts';

export const sequences = defineBatch({
  name: 'sequences',
  help: 'A fixed number of sequences: the usual choice.',
  counts: 'sequences',
  settings: [
    {
      name: 'batch.sequences',
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 32,
      unit: 'sequences',
      help: 'Effective batch: sequences per optimizer step. Tokens per step = this × the length of the sequences.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
  ],
  rules: [
    {
      code: 'batch.micro_divides_batch',
      settings: ['batch.sequences', 'batch.micro'],
      severity: 'error',
      yields: ['batch.micro'],
      check: (config) => {
        const batch = config['batch.sequences'] as number;
        const micro = config['batch.micro'] as number;
        if (micro === 0 || batch % micro === 0) return null;
        const choices = divisors(batch);
        const nearest = nearestWhere(micro, 1, Math.max(micro, batch), (m) => choices.includes(m));
        const why = { rule: 'batch.sequences % batch.micro', numbers: `${batch} % ${micro} = ${batch % micro}` };
        return problem(
          'batch.micro',
          micro,
          `a divisor of batch.sequences ${batch}, or 0 for all at once`,
          nearest,
          why,
          undefined,
          [0, ...choices],
        );
      },
    },
  ],
  sizes: (c) => always(c['batch.sequences'] as number),
});
