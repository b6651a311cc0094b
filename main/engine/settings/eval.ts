/** When and on how much the validation loss is measured. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { Common } from '../kind.ts';
import { AT_ONCE } from './batch.ts';

const settings: readonly SettingSpec[] = [
  {
    name: 'eval.every_steps',
    type: { kind: 'int', min: 0 },
    default: 100,
    unit: 'steps',
    help: 'Steps between evaluations; 0 evaluates only at the end. Never changes the training itself.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'eval.tokens',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'tokens',
    help: 'Validation tokens scored, from the start of the split; 0 scores all. The coverage is reported.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'eval.batch',
    type: { kind: 'int', min: 0, max: 1048576 },
    default: 0,
    unit: 'sequences',
    help: 'Sequences scored at once; 0 takes the micro-batch. Changes the speed, not the loss.',
    auto: AT_ONCE,
    question: 'budget',
    touches: ['memory', 'time'],
    plan: 'none',
  },
];

export const evalSettings: Common = { settings };
