/** What a corpus is: a kind that says how much text there will be and where it comes from. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { checkSection, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import { DataError } from '../errors.ts';
import type { NetOptions } from '../downloads/transfer.ts';
import type { OnProgress } from '../progress.ts';
import type { Reading, ReadingOptions } from '../reading/reader.ts';
import type { TextSink } from '../corpusBuilder.ts';
import type { ReadingReport } from '../../../../preload/contract/reading.ts';

export interface SourceOptions {
  readonly cacheDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Where downloads come from; for tests. */
  readonly net?: NetOptions;
}

/** Part of every fingerprint of text that was read: raise it when the same files would give another text or summary. */
export const READER_VERSION = 4;

export interface CorpusSource {
  /** Equal fingerprints mean the same text: names settings and the versions of files. JSON. */
  readonly fingerprint: string;
  /** The text, and a summary of what was read where anything was. */
  load(): Promise<{ readonly corpus: Reading['corpus']; readonly report: Reading['report'] | null }>;
  /** Bytes of its files, where they are known. */
  size?(): Promise<number>;
  /** The same text for a sink that need not hold all of it, where a text may be longer than a memory. */
  stream?(sink: TextSink, options: Pick<ReadingOptions, 'skipFiles' | 'onFile' | 'onProgress'>): Promise<ReadingReport>;
  /** −log2 of the probability that a document begins so, where the corpus knows it. */
  readonly prefixBits?: (beginning: Uint8Array) => number;
}

export interface CorpusKind extends Kind {
  /** Its settings are named `data.…`: what they say is part of the name of a prepared dataset. */
  readonly settings?: Kind['settings'];
  /** How lists show a kind that goes by more than its name: `hf:owner/name`. */
  readonly shown?: string;
  /** True where the text comes over the network. */
  readonly download?: boolean;
  /** Bytes of text that the settings give; undefined where only reading tells. */
  bytes(c: Config): number | undefined;
  /** The text, which is not read yet. @throws DataError for settings that cannot work */
  open(c: Config, options: SourceOptions): CorpusSource | Promise<CorpusSource>;
}

const define = definer<CorpusKind>('corpus', ['bytes', 'open']);

/** @throws DeclarationError naming kind and field */
export function defineCorpus(kind: Declared<CorpusKind>): CorpusKind {
  const defined = define(kind);
  checkSection(defined, 'data');
  return defined;
}

/** A size among the settings. @throws DataError unless it is a whole number from 0 */
export function sizeIn(config: Config, name: string): number {
  const value = config[name] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new DataError(name, value, 'not a size.', 'an integer from 0', 0);
  return value;
}

/** At most so many bytes are read of files and downloads: the only size that is known of them. */
export const limitOf = (config: Config): number | undefined => (config['data.size'] as number) || undefined;
