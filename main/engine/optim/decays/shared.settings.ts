import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

export const decaySettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'optimizer.decay_schedule',
    type: { kind: 'enum', values: [] },
    default: 'constant',
    help: 'How the weight decay moves over the run, but for groups that give one of their own.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: 'optimizer.weight_decay > 0',
  },
  KINDS_HERE,
];
