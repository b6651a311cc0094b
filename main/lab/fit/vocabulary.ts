/** Token ids that a tokenizer will have, known from the settings alone. */
import { BYTE_VOCABULARY } from '../../engine/data/tokenizers/byte.ts';
import { GPT2_VOCABULARY } from '../../engine/data/tokenizers/gpt2.ts';
import type { Config } from '../../../preload/contract/settings.ts';

/** Width of embedding and head; padding needs no id of its own (see engine/data/tokenizers). */
export function vocabularySizeOf(config: Config): number {
  const kind = config['tokenizer.kind'] as string;
  if (kind === 'byte') return BYTE_VOCABULARY;
  if (kind === 'gpt2') return GPT2_VOCABULARY;
  return config['tokenizer.vocabulary'] as number;
}

/** Usual bytes of English text per token, for sizes of datasets that are not prepared yet. Not exact. */
export function typicalBytesPerToken(config: Config): number {
  const kind = config['tokenizer.kind'] as string;
  if (kind === 'byte') return 1;
  if (kind === 'gpt2') return 4.4;
  // About 2.2 bytes for 512 ids, 4 for 16,000: half a byte for each doubling.
  return Math.max(1, 2.2 + 0.37 * Math.log2((config['tokenizer.vocabulary'] as number) / 512));
}
