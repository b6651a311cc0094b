/** How many sequences a batch has over a run, in the order in which it is offered. */
import type { Family } from '../../kind.ts';
import { KINDS_HERE } from '../../kind.ts';
import { listed } from './listed.ts';
import { sequences } from './sequences.ts';
import type { BatchKind } from './size.ts';
import { tokens } from './tokens.ts';

export const batchFamily: Family<BatchKind> = {
  name: 'batch',
  setting: 'batch.kind',
  shared: [
    {
      name: 'batch.kind',
      type: { kind: 'enum', values: [] },
      default: 'sequences',
      help: 'How large a batch is: a fixed number of sequences, as many as a number of tokens holds, or numbers that change with the run.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    KINDS_HERE,
  ],
  kinds: [sequences, tokens, listed],
};
