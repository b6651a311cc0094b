/** The entropy of a text whose source is known: what no model can get below on average. It belongs to exactly the text that is scored. */
import { ratioError } from './batching/units.ts';
import type { Information, TokenSplit } from './dataset.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

export interface EntropyFloor {
  readonly bitsPerByte: number;
  /**
   * How far the entropy of this much text is from that of the source, as a standard error over documents (ratio estimator: documents
   * are drawn whole). Null for a single document.
   */
  readonly standardError: number | null;
  /** Documents that were scored, the last one perhaps in part. */
  readonly documents: number;
}

/**
 * The floor of the first `tokens` tokens of a split (default: all). A document that is scored in part counts with the
 * information of the part. Null where no byte is scored.
 */
export function entropyFloor(
  split: TokenSplit,
  tokenizer: Pick<Tokenizer, 'decode'>,
  information: Information,
  tokens = split.tokens.length,
): EntropyFloor | null {
  const { offsets } = split;
  const bits: number[] = [];
  const bytes: number[] = [];
  for (let d = 0; d + 1 < offsets.length && offsets[d] < tokens; d++) {
    const end = Math.min(tokens, offsets[d + 1]);
    const text = tokenizer.decode(split.tokens.subarray(offsets[d], end));
    bits.push(end === offsets[d + 1] ? information.bits[d] : information.prefixBits(text));
    bytes.push(text.length);
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const length = sum(bytes);
  if (length === 0) return null;
  const documents = bits.length;
  const standardError = documents < 2 ? null : ratioError(bits, bytes);
  return { bitsPerByte: sum(bits) / length, standardError, documents };
}
