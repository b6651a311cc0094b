import type { SettingSpec } from '../../../../preload/contract/settings.ts';

/** How many sequences an optimizer step sees, and how many at once. */
export const batchSettings: readonly SettingSpec[] = [
  {
    name: 'batch.sequences',
    type: { kind: 'int', min: 1, max: 1048576 },
    default: 32,
    unit: 'sequences',
    help: 'Effective batch: sequences per optimizer step. Tokens per step = this × model.context.',
    question: 'stability',
    touches: ['memory', 'time', 'stability'],
  },
  {
    name: 'batch.micro',
    type: { kind: 'int', min: 0, max: 1048576 },
    default: 0,
    unit: 'sequences',
    help: 'Sequences computed at once (micro-batch), a divisor of batch.sequences; 0 means all. Smaller needs less memory, same result.',
    question: 'memory',
    touches: ['memory', 'time'],
  },
];
