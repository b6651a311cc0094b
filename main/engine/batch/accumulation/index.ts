/** How many batches a step takes, in the order in which it is offered. */
import type { Family } from '../../kind.ts';
import { KINDS_HERE } from '../../kind.ts';
import type { AccumulationKind } from './accumulation.ts';
import { fixed } from './fixed.ts';
import { gradientNorm } from './gradientNorm.ts';

export const accumulationFamily: Family<AccumulationKind> = {
  name: 'accumulation',
  setting: 'batch.accumulation',
  shared: [
    {
      name: 'batch.accumulation',
      type: { kind: 'enum', values: [] },
      default: 'fixed',
      help: 'Whether the number of batches in a step follows the length of the gradient. How many fit at once is batch.micro.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
    KINDS_HERE,
  ],
  kinds: [fixed, gradientNorm],
};
