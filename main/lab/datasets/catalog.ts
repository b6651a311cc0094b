/** The corpora and tokenizers that there are, for lists. What each means is decided in the engine's data folder. */
import { corpusFamily, tokenizerFamily } from '../../engine/data/index.ts';
import type { Kinds } from '../../engine/kind.ts';

export interface CorpusEntry {
  /** Value of `data.corpus`. */
  readonly name: string;
  readonly description: string;
}

export function listCorpora(kinds: Kinds): CorpusEntry[] {
  return kinds.all(corpusFamily).map(({ name, shown, help }) => ({ name: shown ?? name, description: help }));
}

/** Tokenizers whose vocabulary no setting changes. */
export function fixedVocabularies(kinds: Kinds): Record<string, number> {
  const fixed = kinds.all(tokenizerFamily).filter((kind) => kind.fixed === true);
  return Object.fromEntries(fixed.map((kind) => [kind.name, kind.vocabulary({})]));
}
