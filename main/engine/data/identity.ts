/** Names by content, so that results are compared only where they mean the same: what was scored, and in which tokens. */
import { createHash } from 'node:crypto';
import type { TokenSplit } from './dataset.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/** Hexadecimal digits of a name: by chance two of a billion texts share one with a probability of 1e-20. */
const DIGITS = 32;

/**
 * Names the text that the first `tokens` tokens of a split stand for, documents and their ends included. The same text has the same
 * name in every tokenizer that decodes what it encodes.
 */
export function textIdentity(split: TokenSplit, tokenizer: Pick<Tokenizer, 'decode'>, tokens: number): string {
  const hash = createHash('sha256');
  for (let d = 0; d + 1 < split.offsets.length && split.offsets[d] < tokens; d++) {
    const end = Math.min(split.offsets[d + 1], tokens);
    const bytes = tokenizer.decode(split.tokens.subarray(split.offsets[d], end));
    // Its length and whether its end is scored too: "ab" "c" is another text than "a" "bc".
    hash.update(bytes).update(`\n${bytes.length} ${end === split.offsets[d + 1]}\n`);
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** Names a tokenizer by its kind and the bytes of every token in their order: `bpe-512-1a2b…`. */
export function tokenizerIdentity(tokenizer: Pick<Tokenizer, 'kind' | 'vocabularySize' | 'decode'>): string {
  const { kind, vocabularySize } = tokenizer;
  const hash = createHash('sha256');
  for (let id = 0; id < vocabularySize; id++) {
    const bytes = tokenizer.decode([id]);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return `${kind}-${vocabularySize}-${hash.digest('hex').slice(0, DIGITS / 2)}`;
}
