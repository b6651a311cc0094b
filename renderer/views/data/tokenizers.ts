/** The tokenizers that are compared, and what each makes of a corpus. */
import type { SettingValue } from '../../stores/contract.ts';

export type Values = Record<string, SettingValue>;

export interface TokenizerChoice {
  readonly key: string;
  readonly label: string;
  readonly values: Values;
}

const bpe = (vocabulary: number): TokenizerChoice => ({
  key: `bpe-${vocabulary}`,
  label: `BPE ${vocabulary.toLocaleString('en')}`,
  values: { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': vocabulary },
});

export const CHOICES: readonly TokenizerChoice[] = [
  { key: 'byte', label: 'Bytes', values: { 'tokenizer.kind': 'byte' } },
  bpe(1024),
  bpe(4096),
  bpe(16_384),
  { key: 'gpt2', label: 'GPT-2', values: { 'tokenizer.kind': 'gpt2' } },
];

export const choiceOf = (key: string): TokenizerChoice => CHOICES.find((choice) => choice.key === key) ?? CHOICES[0];
