/** The held-out text of a mixture: that of each of its texts, one behind the other. */
import type { MixedText, TokenSplit } from '../dataset.ts';
import { joinSplits } from '../joined.ts';
import type { EvaluationSet, ScoredText } from './evaluation.ts';

export interface MixedValidation {
  readonly split: TokenSplit;
  readonly texts: readonly ScoredText[];
  /** Tokens of all held-out texts, scored or not. */
  readonly total: number;
}

/** Tokens that are looked at at a time. */
const AT_ONCE = 1 << 20;

/** @param limit tokens that are scored in all, of which each text has its share; 0: all */
export function mixedValidation(texts: readonly MixedText[], limit: number): MixedValidation {
  const beginnings = texts.map(({ share, dataset: { validation } }) => ({
    split: validation,
    tokens:
      limit > 0 ? Math.min(validation.tokens.length, Math.max(1, Math.round(limit * share))) : validation.tokens.length,
  }));
  let end = 0;
  const scored = texts.map(({ name, dataset: { tokenizer } }, t): ScoredText => {
    const { split, tokens } = beginnings[t]!;
    let bytes = 0;
    for (let from = 0; from < tokens; from += AT_ONCE)
      for (const id of split.tokens.subarray(from, Math.min(tokens, from + AT_ONCE)))
        bytes += tokenizer.tokenBytes[id]!;
    return { name, end: (end += tokens), bytes };
  });
  const total = texts.reduce((sum, { dataset }) => sum + dataset.validation.tokens.length, 0);
  return { split: joinSplits(beginnings), texts: scored, total };
}

/** An evaluation of it that tells the texts apart. */
export const ofMixture = (set: EvaluationSet, { texts, total }: MixedValidation): EvaluationSet => ({
  ...set,
  coverage: set.tokens / total,
  texts,
});
