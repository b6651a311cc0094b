/**
 * Byte-level byte-pair encoding (Sennrich et al. 2016 on bytes, as in GPT-2), trained on the training split.
 * Ids: 0–255 the bytes, 256 EOS, 257 … the merges in the order they were learned.
 */
import type { Tokenizer } from './tokenizer.ts';
import { decodeWith } from './tokenizer.ts';
import { PairMap } from './merges.ts';
import { pieceEncoder } from './pieceRules.ts';

const BPE_EOS = 256;
export const FIRST_MERGE = 257;

/**
 * `merges`: left and right id of each merge, flat, 2 per merge, in order. `vocabularySize` is the size asked for: where the
 * text had fewer useful merges, the last ids simply never occur.
 */
export function bpeTokenizer(merges: Int32Array, vocabularySize: number): Tokenizer {
  const count = merges.length / 2;
  if (FIRST_MERGE + count > vocabularySize) throw new RangeError(`${count} merges do not fit ${vocabularySize} ids`);
  const table: (Uint8Array | undefined)[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  table.push(undefined);
  const pairs = new PairMap();
  for (let i = 0; i < count; i++) {
    const left = merges[2 * i];
    const right = merges[2 * i + 1];
    const a = table[left];
    const b = table[right];
    if (a === undefined || b === undefined)
      throw new Error(`merge ${i} joins ${left} and ${right}, which are no tokens yet`);
    pairs.set(left, right, FIRST_MERGE + i);
    const joined = new Uint8Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    table.push(joined);
  }
  const tokenBytes = new Int32Array(vocabularySize);
  table.forEach((bytes, id) => {
    tokenBytes[id] = bytes?.length ?? 0;
  });
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte);
  return {
    kind: 'bpe',
    vocabularySize,
    eosId: BPE_EOS,
    padId: BPE_EOS,
    tokenBytes,
    ...pieceEncoder('bpe', byteIds, pairs),
    decode: (ids) => decodeWith(table, vocabularySize, ids),
  };
}
