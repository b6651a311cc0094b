/** What was read to make a dataset: told before training, kept with the prepared data and with each run. */

/** Some things of one sort: how many, and the first of them. */
export interface ReadingCount {
  /** In words, for example `rows whose text is empty`. */
  readonly what: string;
  readonly count: number;
  /** Where the first one is: a file, or a file and a row. */
  readonly first: string;
}

export interface ReadingReport {
  /** Files that were read (members of an archive count one each), and their bytes on disk. */
  readonly files: number;
  readonly bytes: number;
  /** Documents that were taken, and the bytes of their text. */
  readonly documents: number;
  readonly textBytes: number;
  /** False where `data.size` ended the reading before the files did. */
  readonly whole: boolean;
  /** Number of files by format, by encoding and by compression. */
  readonly formats: Readonly<Record<string, number>>;
  readonly encodings: Readonly<Record<string, number>>;
  readonly compressions: Readonly<Record<string, number>>;
  /** Files of a folder, glob or archive that were not read. */
  readonly leftOut: readonly ReadingCount[];
  /** Rows that gave no document. */
  readonly dropped: readonly ReadingCount[];
  /** What is not in the text as it is in the file: marks, line ends, invalid characters. */
  readonly changed: readonly ReadingCount[];
  /** What may be a mistake, in whole sentences. */
  readonly warnings: readonly string[];
}

/** What was read for each side; null for generated text, and for validation text that is held out. */
export interface ReadingSummary {
  readonly corpus: ReadingReport | null;
  readonly validation: ReadingReport | null;
}
