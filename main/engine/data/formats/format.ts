/** What a file format is: one file each in this folder; `index.ts` lists them. */
import type { Documents } from '../corpusBuilder.ts';
import type { DataError } from '../errors.ts';

/** Bytes that can be read at any place, as Parquet and archives need it. */
export interface RandomAccess {
  readonly byteLength: number;
  /** Bytes start … end; fewer only where the file ends. */
  slice(start: number, end?: number): Promise<Buffer>;
}

/** One text or table to be read, and where to tell what is found in it. */
export interface FormatInput {
  /** For messages: the path, for a member of an archive with its path inside. */
  readonly name: string;
  /** Text formats: UTF-8 without marks, lines ended by \n (see reading/cleanText.ts). A chunk is valid until the next one is asked for. */
  readonly text: AsyncIterable<Buffer>;
  /** Binary formats: the bytes at any place. */
  readonly bytes: RandomAccess;
  /** `data.column`: what holds the text in a table. */
  readonly column: string;
  /** `data.separator` with its escapes resolved and its line ends as \n. */
  readonly separator: string;
  /** `data.delimiter`, one character; '' takes that of the format. */
  readonly delimiter: string;
  /** An error in this file, naming it. */
  error(what: string, allowed: string): DataError;
  /** Counts a row that gives no document, and why (`rows …`). */
  drop(what: string, row: number): void;
  /** Counts a row that was read in a way worth telling. */
  note(what: string, row: number): void;
  /** Tells of something that may be a mistake; a sentence without the file's name. */
  warn(sentence: string): void;
  /** So much of the file is done, 0 … 1: for formats that read at any place. */
  progress(fraction: number): void;
}

export interface Format {
  /** Value of `data.format`. */
  readonly name: string;
  /** In a summary, for example `JSON lines`. */
  readonly title: string;
  readonly help: string;
  /** Endings of names, in lower case with their dot. */
  readonly extensions: readonly string[];
  /** Names that mean it where their ending alone says too little, in lower case. */
  readonly names?: RegExp;
  /** `text` formats get decoded text, `bytes` formats read at any place. */
  readonly reads: 'text' | 'bytes';
  /** Gives every document of the input, in order, until `documents` wants no more. @throws DataError */
  read(input: FormatInput, documents: Documents): Promise<void>;
}
