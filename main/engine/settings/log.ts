/** What is recorded and kept. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { Common } from '../kind.ts';
import { diagnosticsSettings } from './diagnostics.ts';

const settings: readonly SettingSpec[] = [
  {
    name: 'log.every_steps',
    type: { kind: 'int', min: 1 },
    default: 1,
    unit: 'steps',
    help: 'Steps between recorded training points.',
    question: 'budget',
    plan: 'none',
  },
  {
    name: 'log.checkpoint_steps',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'steps',
    help: 'Steps between checkpoints; 0 saves at each evaluation.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'log.keep_best',
    type: { kind: 'bool' },
    default: true,
    help: 'Keep the checkpoint with the lowest val/loss beside the last one.',
    question: 'budget',
    plan: 'none',
  },
  {
    name: 'log.sample_tokens',
    type: { kind: 'int', min: 0, max: 65536 },
    default: 0,
    unit: 'tokens',
    help: 'Tokens of text sampled at each evaluation; 0 samples none.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
];

export const logSettings: Common = { settings: [...settings, ...diagnosticsSettings] };
