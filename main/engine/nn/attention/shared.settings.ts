import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

/** What all attentions share. */
export const attentionSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'attention.kind',
    type: { kind: 'enum', values: [] },
    default: 'causal',
    help: 'Which tokens a token sees. A model with model.window set takes window unless this says otherwise.',
    question: 'capacity',
    touches: ['memory', 'time', 'stability'],
  },
  KINDS_HERE,
];
