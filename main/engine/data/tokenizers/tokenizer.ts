/** What a tokenizer is, as a kind that settings choose and as what it becomes for a text. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { checkSection, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { Corpus } from '../corpus.ts';
import type { Sizes } from '../documentSizes.ts';
import type { OnProgress } from '../progress.ts';
import type { EncoderTables } from './pieceRules.ts';

/** What every tokenizer offers. All are lossless: decode(encode(bytes)) = bytes, for any bytes. */
export interface Tokenizer {
  /** Name of its kind. */
  readonly kind: string;
  /** Number of token ids, the width of embedding and head. Follows from the settings alone, so that plans are exact. */
  readonly vocabularySize: number;
  /** Ends every document; also what the first token of a document is predicted from. Stands for 0 bytes. */
  readonly eosId: number;
  /** Fills rows up. Equal to `eosId`: padding is never a target and its keys are masked, so it needs no row of its own. */
  readonly padId: number;
  /** Bytes that each token stands for; 0 for EOS and for ids that never occur. Length = vocabularySize. */
  readonly tokenBytes: Int32Array;
  /** Ordinary text only: nothing in the text is ever taken for EOS. */
  encode(bytes: Uint8Array): Int32Array;
  /** From which other threads encode as this one does, without tables of their own. */
  readonly sharedTables?: (() => EncoderTables) | undefined;
  /** Bytes of the tokens; EOS and unused ids give nothing. An id outside 0 … vocabularySize − 1 is an error. */
  decode(ids: ArrayLike<number>): Uint8Array;
}

/** The two sides of a split. A tokenizer that learns may look at `train` alone; `validation` may only count for its name. */
export interface TokenizerTexts {
  readonly train: Corpus;
  readonly validation: Corpus;
}

/** Training documents that are read one after another, each time anew: of a text that need not lie in memory. */
export interface TrainingDocuments {
  /** Bytes of each. */
  readonly sizes: Sizes;
  /** `take` gets whole documents, or their parts one after another where they are long. */
  read(take: (part: Uint8Array, document: number) => void): Promise<void>;
}

export interface TokenizerOptions {
  readonly cacheDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface PreparedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Names the tokenizer by content: equal ids mean equal encodings. */
  readonly id: string;
  /** Numbers from which `restore` makes it again (left and right id of each merge), where it was trained here; else null. */
  readonly merges: Int32Array | null;
}

export interface TokenizerKind extends Kind {
  /** Its settings are named `tokenizer.…`: what they say is part of the name of a prepared dataset. */
  readonly settings?: Kind['settings'];
  /** Token ids that it will have, the width of embedding and head: known before any text is read, so that plans are exact. */
  vocabulary(c: Config): number;
  /** True where no setting changes the vocabulary. */
  readonly fixed?: boolean;
  /** Usual bytes of English text per token, for sizes of datasets that are not prepared yet. Not exact. */
  bytesPerToken(c: Config): number;
  /** Bytes that its tables take in the memory of the engine's process, where they are worth counting. */
  readonly residentBytes?: number;
  /** For a text, trained where it is trained, or taken from the cache. */
  prepare(c: Config, texts: TokenizerTexts, options: TokenizerOptions): PreparedTokenizer | Promise<PreparedTokenizer>;
  /**
   * {@link prepare} for texts that may be larger than a memory, in memory that is bounded. Without it such a text shows its first 64 MiB to
   * `prepare`.
   */
  learn?(c: Config, train: TrainingDocuments, options: TokenizerOptions): Promise<PreparedTokenizer>;
  /** The tokenizer of a dataset that was prepared before. */
  restore(vocabularySize: number, merges: Int32Array | null): Tokenizer | Promise<Tokenizer>;
}

const define = definer<TokenizerKind>('tokenizer', ['vocabulary', 'bytesPerToken', 'prepare', 'restore']);

/** @throws DeclarationError naming kind and field */
export function defineTokenizer(kind: Declared<TokenizerKind>): TokenizerKind {
  const defined = define(kind);
  checkSection(defined, 'tokenizer');
  return defined;
}
