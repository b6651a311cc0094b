/** The tokenizers, in the order in which they are offered, and the one that a configuration chooses. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { BUILT_IN } from '../../kind.ts';
import type { Family, Kinds } from '../../kind.ts';
import { DataError } from '../errors.ts';
import { bpe } from './bpe.ts';
import { byte } from './byte.ts';
import { gpt2 } from './gpt2.ts';
import { tokenizerSettings } from './shared.settings.ts';
import type { TokenizerKind } from './tokenizer.ts';

export const tokenizerFamily: Family<TokenizerKind> = {
  name: 'tokenizer',
  setting: 'tokenizer.kind',
  shared: tokenizerSettings,
  kinds: [byte, bpe, gpt2],
};

/** A tokenizer by name. @throws DataError naming what there is */
export function tokenizerNamed(name: unknown, kinds: Kinds = BUILT_IN): TokenizerKind {
  const all = kinds.all(tokenizerFamily);
  const found = all.find((kind) => kind.name === name);
  if (found !== undefined) return found;
  const names = all.map((kind) => kind.name);
  const near = nearestName(String(name), names);
  throw new DataError('tokenizer.kind', name, 'no such tokenizer.', names.join(', '), near);
}

/** The tokenizer of a configuration, `byte` where it names none, and the settings as that one may see them. */
export function tokenizerOf(config: Config, kinds: Kinds = BUILT_IN): { kind: TokenizerKind; settings: Config } {
  const kind = tokenizerNamed(config['tokenizer.kind'] ?? byte.name, kinds);
  return { kind, settings: kinds.view(kind, config) };
}

/** Vocabulary size of a configuration, known before any data is read. */
export function vocabularyOf(config: Config, kinds: Kinds = BUILT_IN): number {
  const { kind, settings } = tokenizerOf(config, kinds);
  return kind.vocabulary(settings);
}

/** Usual bytes of text per token of a configuration. Not exact. */
export function bytesPerTokenOf(config: Config, kinds: Kinds = BUILT_IN): number {
  const { kind, settings } = tokenizerOf(config, kinds);
  return kind.bytesPerToken(settings);
}
