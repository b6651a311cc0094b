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
];

export const generalSettings: Common = { settings };
