import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

/** How text becomes tokens. */
export const tokenizerSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'tokenizer.kind',
    type: { kind: 'enum', values: [] },
    default: 'byte',
    help: 'byte: no training, long sequences. bpe: trained on the training split. gpt2: the 50,257 tokens of GPT-2. Compare kinds by bits per byte.',
    question: 'tokenizer',
    touches: ['memory', 'time'],
    plan: 'none',
  },
  KINDS_HERE,
];
