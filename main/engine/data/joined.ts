/** Texts that lie one behind the other, each as it is. */
import type { Tokens, TokenSplit } from './dataset.ts';
import type { TokenArray } from './tokenArray.ts';

/** A beginning of a text. */
export interface Beginning {
  readonly split: TokenSplit;
  /** Tokens of it. */
  readonly tokens: number;
}

class JoinedTokens implements Tokens {
  readonly length: number;
  readonly #parts: readonly Beginning[];
  /** Where each part begins, and the end. */
  readonly #begins: readonly number[];

  constructor(parts: readonly Beginning[]) {
    this.#parts = parts;
    const begins = [0];
    for (const { tokens } of parts) begins.push(begins.at(-1)! + tokens);
    this.#begins = begins;
    this.length = begins.at(-1)!;
  }

  subarray(from: number, to: number): TokenArray {
    const end = Math.min(to, this.length);
    const pieces: TokenArray[] = [];
    for (const [i, { split }] of this.#parts.entries()) {
      const [first, last] = [Math.max(from, this.#begins[i]!), Math.min(end, this.#begins[i + 1]!)];
      if (first < last) pieces.push(split.tokens.subarray(first - this.#begins[i]!, last - this.#begins[i]!));
    }
    if (pieces.length === 1) return pieces[0]!;
    const Ids = (pieces[0] ?? this.#parts[0]!.split.tokens.subarray(0, 0)).constructor as new (n: number) => TokenArray;
    const all = new Ids(Math.max(0, end - from));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

/** One side of several datasets. Where a text is cut, so is its last document. */
export function joinSplits(parts: readonly Beginning[]): TokenSplit {
  let offsets: Float64Array | undefined;
  return {
    tokens: new JoinedTokens(parts),
    bytes: parts.reduce((sum, { split, tokens }) => sum + (split.bytes * tokens) / split.tokens.length, 0),
    get offsets() {
      return (offsets ??= joinedOffsets(parts));
    },
  };
}

function joinedOffsets(parts: readonly Beginning[]): Float64Array {
  const all = [0];
  let begin = 0;
  for (const { split, tokens } of parts) {
    for (let d = 1; d < split.offsets.length; d++) {
      all.push(begin + Math.min(split.offsets[d]!, tokens));
      if (split.offsets[d]! >= tokens) break;
    }
    begin += tokens;
  }
  return Float64Array.from(all);
}

/** All of a text. */
export const whole = (split: TokenSplit): Beginning => ({ split, tokens: split.tokens.length });
