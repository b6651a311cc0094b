import type { SettingSpec } from '../../../../preload/contract/settings.ts';

/** How text becomes tokens. */
export const tokenizerSettings: readonly SettingSpec[] = [
  {
    name: 'tokenizer.kind',
    type: { kind: 'enum', values: ['byte', 'bpe', 'gpt2'] },
    default: 'byte',
    help: 'byte: no training, long sequences. bpe: trained on the training split. gpt2: the 50,257 tokens of GPT-2. Compare kinds by bits per byte.',
    question: 'tokenizer',
    touches: ['memory', 'time'],
    plan: 'none',
  },
  {
    name: 'tokenizer.vocabulary',
    type: { kind: 'int', min: 257, max: 65536 },
    default: 1024,
    unit: 'tokens',
    help: 'Vocabulary of the trained byte-level BPE. The logits, often the largest tensor, grow with it.',
    question: 'tokenizer',
    touches: ['memory', 'time'],
    plan: 'none',
    when: 'tokenizer.kind == "bpe"',
  },
  {
    name: 'tokenizer.sample',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'bytes',
    help: 'Bytes of the training split that the BPE is trained on; 0 takes all of it.',
    question: 'tokenizer',
    plan: 'none',
    when: 'tokenizer.kind == "bpe"',
  },
];
