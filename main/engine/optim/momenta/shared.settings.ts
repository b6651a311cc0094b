import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';
import { CONSTANT, MOMENTUM_SCHEDULE } from './momentum.ts';

export const momentumSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: MOMENTUM_SCHEDULE,
    type: { kind: 'enum', values: [] },
    default: CONSTANT,
    help: 'How the momentum moves over the run: optimizer.muon_momentum of muon, optimizer.beta1 of adam and adamw, optimizer.momentum of sgd.',
    question: 'stability',
    touches: ['stability'],
  },
  KINDS_HERE,
];

export const start: SettingSpec = {
  name: 'optimizer.momentum_start',
  type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
  default: 0.85,
  help: 'Momentum from which a schedule of the momentum rises; of cycle the one at the peak learning rate.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const rise = (unit: string, otherwise: number, help: string): SettingSpec => ({
  name: `optimizer.momentum_rise_${unit}`,
  type: { kind: 'int', min: 0 },
  default: otherwise,
  unit,
  help,
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
});

export const startAndRise: readonly SettingSpec[] = [
  start,
  rise(
    'steps',
    300,
    'Steps in which the momentum rises; optimizer.momentum_rise_tokens, where it is set, counts instead.',
  ),
  rise('tokens', 0, 'Tokens in which the momentum rises; 0 takes optimizer.momentum_rise_steps.'),
];
