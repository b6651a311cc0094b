import type { SettingSpec } from '../../../../preload/contract/settings.ts';

/** What is recorded and kept. */
export const logSettings: readonly SettingSpec[] = [
  {
    name: 'log.every_steps',
    type: { kind: 'int', min: 1 },
    default: 1,
    unit: 'steps',
    help: 'Steps between recorded training points.',
    question: 'budget',
  },
  {
    name: 'log.checkpoint_steps',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'steps',
    help: 'Steps between checkpoints; 0 saves at each evaluation.',
    question: 'budget',
    touches: ['time'],
  },
  {
    name: 'log.keep_best',
    type: { kind: 'bool' },
    default: true,
    help: 'Keep the checkpoint with the lowest val/loss beside the last one.',
    question: 'budget',
  },
  {
    name: 'log.sample_tokens',
    type: { kind: 'int', min: 0, max: 65536 },
    default: 0,
    unit: 'tokens',
    help: 'Tokens of text sampled at each evaluation; 0 samples none.',
    question: 'budget',
    touches: ['time'],
  },
];
