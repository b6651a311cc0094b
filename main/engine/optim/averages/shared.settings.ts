import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';
import { AVERAGE, NONE } from './average.ts';

export const averageSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: AVERAGE,
    type: { kind: 'enum', values: [] },
    default: NONE,
    help: 'An average of the weights, kept in 32 bits and evaluated beside them as val/average_loss; changes no training.',
    question: 'stability',
    touches: ['memory', 'time'],
  },
  KINDS_HERE,
];
