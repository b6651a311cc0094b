/** What the training loop needs of the data, whatever the corpus, the tokenizer and the way of batching. */
import type { DatasetInfo } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Batch, EvaluationSet } from '../data/index.ts';
import type { Kinds } from '../kind.ts';

/** The training rows of one length. */
export interface TrainingRows {
  /** Rows of one epoch, not necessarily a whole number. */
  readonly rowsPerEpoch: number;
  /** Mean scored tokens of a row. */
  readonly tokensPerRow: number;
  /** Rows first … first + count − 1 of an endless sequence that depends on the run's seed and the length alone. */
  rows(first: number, count: number): Batch;
  /** How often each text of a mixture was passed through after so many rows; without one there is nothing to tell. */
  epochsOfTexts?(rows: number): Readonly<Record<string, number>>;
}

/** Everything about a dataset that a run needs. Its own rows are those of the whole context. */
export interface PreparedData extends TrainingRows {
  readonly vocabularySize: number;
  /** Whether rows can hold padding, which is then masked. */
  readonly keyMasked: boolean;
  /** Rows of another length, in an order of their own: a text is not seen again at the places where shorter rows began. */
  atLength(length: number): TrainingRows;
  /** Rows of the validation set, and the set in batches of so many rows. */
  readonly validationRows: number;
  validation(batchRows: number): EvaluationSet;
  readonly info: DatasetInfo;
  /** Ends every document, and is what the first token of one is predicted from. */
  readonly endToken: number;
  encode(text: string): Int32Array;
  decode(tokens: ArrayLike<number>): string;
}

/** Reports what is being prepared, for a progress bar. */
export type PrepareProgress = (name: string, fraction?: number, eta?: number) => void;

export interface PrepareRequest {
  readonly config: Config;
  /** The corpora and tokenizers that exist. */
  readonly kinds?: Kinds;
  /** Folder for prepared datasets and downloads. */
  readonly cache: string;
  readonly onProgress?: PrepareProgress;
  readonly signal?: AbortSignal;
}

export type PrepareData = (request: PrepareRequest) => Promise<PreparedData>;
