/** How long sequences are over a run, in the order in which it is offered. */
import type { Family } from '../../kind.ts';
import { KINDS_HERE } from '../../kind.ts';
import { constant } from './constant.ts';
import { doubling } from './doubling.ts';
import type { LengthKind } from './length.ts';
import { listed } from './listed.ts';

export const lengthFamily: Family<LengthKind> = {
  name: 'length',
  setting: 'batch.length',
  shared: [
    {
      name: 'batch.length',
      type: { kind: 'enum', values: [] },
      default: 'constant',
      help: 'Whether sequences begin shorter than model.context and grow. Evaluation always takes the whole context.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    KINDS_HERE,
  ],
  kinds: [constant, doubling, listed],
};
