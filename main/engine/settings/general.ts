/** Settings that belong to the run as a whole. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { Common } from '../kind.ts';

const settings: readonly SettingSpec[] = [
  {
    name: 'seed',
    type: { kind: 'int', min: 0 },
    default: 1,
    help: 'Seed of initialisation, data order and dropout. Run several seeds before believing a small difference.',
    question: 'stability',
    plan: 'none',
  },
  {
    name: 'preflight',
    type: { kind: 'enum', values: ['auto', 'on', 'off'] },
    default: 'auto',
    help: 'Begin with a rehearsal: two steps, an evaluation and a checkpoint, which count for nothing. auto: runs that will take over 10 minutes.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
];

export const generalSettings: Common = { settings };
