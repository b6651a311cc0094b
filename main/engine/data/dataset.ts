import type { ReadingSummary } from '../../../preload/contract/reading.ts';
import type { DataStats } from '../../../preload/contract/shapes.ts';
import type { MixPart } from './corpora/mix.ts';
import type { TokenArray } from './tokenArray.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/** Token ids of one side of a dataset, in order: an array, or files that hold more than fits a memory (tokenFiles.ts). */
export interface Tokens {
  readonly length: number;
  /** The ids `from` … `to` − 1. Read only: of an array it is a view. */
  subarray(from: number, to: number): TokenArray;
}

/**
 * One side of a dataset. Every document is followed by EOS, so the stream reads doc₀ EOS doc₁ EOS …; the first token of
 * each document is predicted from an EOS.
 */
export interface TokenSplit {
  readonly tokens: Tokens;
  /** Document d, its EOS included, is tokens[offsets[d] … offsets[d + 1]). Length = documents + 1. */
  readonly offsets: Float64Array;
  /** Bytes of the documents' text. */
  readonly bytes: number;
}

/** A side that was just made. */
export interface EncodedSplit extends TokenSplit {
  readonly tokens: TokenArray;
}

/** How probable the source of a text makes it. */
export interface Information {
  /** −log2 of each validation document's probability. */
  readonly bits: Float64Array;
  /** −log2 of the probability that a document begins so. */
  readonly prefixBits: (beginning: Uint8Array) => number;
}

/** One text of a mixture. */
export interface MixedText extends MixPart {
  readonly dataset: Dataset;
}

/**
 * Bits per byte = (sum of nats over all scored tokens, EOS included) ÷ ln 2 ÷ (bytes of the text). An EOS counts with its
 * nats and 0 bytes: a model must also predict where a document ends, and separators of files are not text. The
 * entropy floor of the built-in corpus is the mean information of whole documents, their ends included, over the same bytes.
 */
export interface Dataset {
  readonly train: TokenSplit;
  readonly validation: TokenSplit;
  readonly tokenizer: Tokenizer;
  readonly stats: DataStats;
  /** How probable the validation text is, where the corpus knows it (see `entropyFloor`); else null. */
  readonly information: Information | null;
  readonly reading: ReadingSummary;
  /** The texts of a mixture, which {@link train} and {@link validation} hold one behind the other. */
  readonly texts?: readonly MixedText[];
  /** SHA-256 that names text, split and tokenizer: equal hashes mean equal tokens. */
  readonly contentHash: string;
}
