/** The two tables of a language model that have a row for every token: the embedding, and the head where it is not the embedding itself. */
import { gather } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Config, SettingSpec } from '../../../../preload/contract/settings.ts';
import { tokenizerFamily, vocabularyOf } from '../../data/tokenizers/index.ts';
import type { Kinds } from '../../kind.ts';
import type { Initial, ModelContext } from '../model.ts';

/** For models whose tables have more rows than there are tokens. */
export const vocabularyMultiple: SettingSpec = {
  name: 'model.vocabulary_multiple',
  type: { kind: 'int', min: 1, max: 65536 },
  default: 64,
  unit: 'rows',
  help: 'The tables of tokens have a multiple of so many rows (50,257 → 50,304). Rows beyond the vocabulary never get a probability.',
  question: 'capacity',
  touches: ['memory'],
};

/** The vocabulary of a configuration; undefined where its tokenizer is that of a plug-in which is no longer there. */
export function knownVocabulary(config: Config, kinds: Kinds): number | undefined {
  const known = kinds.all(tokenizerFamily).some(({ name }) => name === config['tokenizer.kind']);
  return known ? vocabularyOf(config, kinds) : undefined;
}

/** Rows of a table for so many tokens. */
export const tableRows = (vocabulary: number, multiple: number): number => Math.ceil(vocabulary / multiple) * multiple;

/**
 * Embeds the tokens: x [rows, context, width], and the head [table rows, width], which is the embedding itself where `model.tied` says so.
 * `model.vocabulary_multiple` rounds the rows up. The head starts like the embedding unless `head` says otherwise.
 */
export function tokenTables(
  m: ModelContext,
  width: number,
  embedding: Initial | ((rows: number) => Initial),
  head: Initial | ((rows: number) => Initial) = embedding,
): { readonly x: Value; readonly head: Value } {
  const rows = tableRows(m.vocabularySize, m.config['model.vocabulary_multiple'] as number);
  const first = (initial: typeof embedding) => (typeof initial === 'function' ? initial(rows) : initial);
  const table = m.within('embedding', () =>
    m.parameter('weight', [rows, width], { role: 'embedding', initial: first(embedding) }),
  );
  const x = m.within('embedding', () => gather(table, m.tokens));
  if (m.config['model.tied'] === true) return { x, head: table };
  return {
    x,
    head: m.within('head', () => m.parameter('weight', [rows, width], { role: 'head', initial: first(head) })),
  };
}
