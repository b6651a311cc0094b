/**
 * Byte-level byte-pair encoding (Sennrich et al. 2016 on bytes, as in GPT-2), trained on the training split.
 * Ids: 0–255 the bytes, 256 EOS, 257 … the merges in the order they were learned.
 */
import type { Tokenizer } from './tokenizer.ts';
import { PairMap } from './merges.ts';
import { pieceEncoder } from './pieceRules.ts';
import { Spellings } from './spellings.ts';

const BPE_EOS = 256;
export const FIRST_MERGE = 257;

/**
 * `merges`: left and right id of each merge, flat, 2 per merge, in order. `vocabularySize` is the size asked for: where the
 * text had fewer useful merges, the last ids simply never occur.
 */
export function bpeTokenizer(merges: Int32Array, vocabularySize: number): Tokenizer {
  const count = merges.length / 2;
  if (FIRST_MERGE + count > vocabularySize) throw new RangeError(`${count} merges do not fit ${vocabularySize} ids`);
  const spellings = new Spellings();
  for (let byte = 0; byte < 256; byte++) spellings.push([byte]);
  spellings.push();
  const pairs = new PairMap();
  for (let i = 0; i < count; i++) {
    const left = merges[2 * i];
    const right = merges[2 * i + 1];
    if (![left, right].every((id) => id >= 0 && id < spellings.length && id !== BPE_EOS))
      throw new Error(`merge ${i} joins ${left} and ${right}, which are no tokens yet`);
    pairs.set(left, right, FIRST_MERGE + i);
    spellings.push(spellings.of(left), spellings.of(right));
  }
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte);
  return {
    kind: 'bpe',
    vocabularySize,
    eosId: BPE_EOS,
    padId: BPE_EOS,
    tokenBytes: spellings.lengths(vocabularySize),
    ...pieceEncoder('bpe', byteIds, pairs),
    decode: (ids) => spellings.decode(ids, vocabularySize),
  };
}
