import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

/** What all parametrisations share. */
export const parametrizationSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'model.parametrization',
    type: { kind: 'enum', values: [] },
    default: 'standard',
    help: 'How first values and learning rates change with the size of the model; mup keeps one learning rate good for all widths.',
    question: 'stability',
    touches: ['stability'],
  },
  KINDS_HERE,
];
