/** Encoding by pieces and merges, from tables that threads share. */
import { gpt2PieceEnd } from './gpt2Pieces.ts';
import { PairMap, PieceEncoder, shared } from './merges.ts';
import type { PairTables, PieceEnd } from './merges.ts';
import { pieceEnd } from './pieces.ts';

/** How text is cut into pieces, by name. */
const RULES = {
  bpe: (): PieceEnd => pieceEnd,
  gpt2: gpt2PieceEnd,
} as const;
export type PieceRule = keyof typeof RULES;

/** What turns text into tokens, in memory that threads share. */
export interface EncoderTables {
  /** How text is cut into pieces. */
  readonly rule: PieceRule;
  readonly byteIds: Int32Array;
  readonly pairs: PairTables;
}

/** The part of a tokenizer that turns text into tokens. */
export function pieceEncoder(rule: PieceRule, byteIds: Int32Array, pairs: PairMap) {
  const encoder = new PieceEncoder(byteIds, pairs, RULES[rule]());
  return {
    encode: (bytes: Uint8Array): Int32Array => encoder.encode(bytes),
    sharedTables: (): EncoderTables => ({ rule, byteIds: shared(byteIds), pairs: pairs.shared() }),
  };
}

/** Encodes as the tokenizer does whose tables these are. The next call overwrites what it gives. */
export function encoderOver({ rule, byteIds, pairs }: EncoderTables): (bytes: Uint8Array) => Int32Array {
  const encoder = new PieceEncoder(byteIds, PairMap.over(pairs), RULES[rule]());
  return (bytes) => encoder.view(bytes);
}
