/** From the data settings to a corpus: the built-in stories, files, or a download. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { CorpusBuilder } from '../corpusBuilder.ts';
import { fetchFiles, findDownload, downloadNames } from '../downloads/registry.ts';
import type { NetOptions } from '../downloads/transfer.ts';
import { DataError, throwIfAborted } from '../errors.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { sha256 } from '../../../files/whole.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { readFiles } from '../reading/reader.ts';
import type { Reading } from '../reading/reader.ts';
import { findFiles, looksLikePath } from '../reading/listing.ts';
import type { Listing } from '../reading/listing.ts';
import { readingSettings } from '../reading/settings.ts';
import { story, storyPrefixBits } from './stories.ts';

const DEFAULT_STORIES_SIZE = 2_000_000;

export interface SourceOptions {
  readonly cacheDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Where downloads come from; for tests. */
  readonly net?: NetOptions;
}

/** Part of every fingerprint of text that was read: raise it when the same files would give another text or summary. */
const READER_VERSION = 3;

export interface CorpusSource {
  /** Equal fingerprints mean the same text: names settings and the versions of files. JSON. */
  readonly fingerprint: string;
  /** The text, and a summary of what was read where anything was. */
  load(): Promise<{ readonly corpus: Reading['corpus']; readonly report: Reading['report'] | null }>;
  /** −log2 of the probability that a document begins so, where the corpus knows it. */
  readonly prefixBits?: (beginning: Uint8Array) => number;
}

const text = (config: Config, name: string, otherwise: string) => String(config[name] ?? otherwise);

function integer(config: Config, name: string, otherwise: number): number {
  const value = config[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new DataError(name, value, 'not a size.', 'an integer from 0', otherwise);
  return value;
}

function stories(config: Config, options: SourceOptions): CorpusSource {
  const size = integer(config, 'data.size', 0) || DEFAULT_STORIES_SIZE;
  const seed = integer(config, 'data.corpus_seed', 0);
  // Names the grammar by what it tells, so that a changed grammar is never mistaken for the old one.
  const sample = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => story(1, i).text).join('\n');
  const grammar = sha256(sample).slice(0, 16);
  return {
    fingerprint: JSON.stringify({ corpus: 'stories', grammar, size, seed }),
    prefixBits: (beginning) => storyPrefixBits(Buffer.from(beginning).toString('latin1')),
    async load() {
      const builder = new CorpusBuilder();
      const meter = new PhaseMeter('read', options.onProgress);
      // Whole stories until the size is reached; at least two, so that one can be held out.
      for (let i = 0; builder.length < size || i < 2; i++) {
        const { text: told, bits } = story(seed, i);
        builder.add(Buffer.from(told, 'latin1'), bits);
        if (i % 500 === 499) {
          meter.update(builder.length, size, 'stories', true);
          await new Promise((resolve) => setImmediate(resolve));
          throwIfAborted(options.signal);
        }
      }
      return { corpus: builder.build(), report: null };
    },
  };
}

function fromFiles(listing: Listing, config: Config, setting: string, options: SourceOptions): CorpusSource {
  const { files, notes } = listing;
  const settings = readingSettings(config);
  // A validation file is read whole.
  const limit = setting === 'data.corpus' ? integer(config, 'data.size', 0) : 0;
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const listed = files.map(({ path, version }) => [path, version]);
  const { leftOut } = notes.report(0, 0, true);
  return {
    fingerprint: JSON.stringify({ reader: READER_VERSION, files: listed, leftOut, ...settings, limit }),
    load: () => readFiles(files, { ...settings, limit, setting, totalBytes, notes, ...options }),
  };
}

/** The corpus a configuration names (`setting`: data.corpus, or data.validation_path). Reads nothing yet. */
export async function corpusSource(
  config: Config,
  setting: 'data.corpus' | 'data.validation_path',
  options: SourceOptions,
): Promise<CorpusSource> {
  const corpus = text(config, setting, 'stories');
  if (setting === 'data.corpus') {
    if (corpus === 'stories') return stories(config, options);
    const download = findDownload(corpus, config);
    if (download !== null) {
      const limit = integer(config, 'data.size', 0);
      const { column, regroup, separator } = download;
      const settings = readingSettings(config, { column, separator });
      const named = { reader: READER_VERSION, download: download.id, ...settings, limit, base: options.net };
      return {
        fingerprint: JSON.stringify(named),
        load: () =>
          readFiles(fetchFiles(download, options), { ...settings, limit, setting, totalBytes: 0, regroup, ...options }),
      };
    }
  }
  const listing = await findFiles(corpus, setting);
  if (listing !== null) return fromFiles(listing, config, setting, options);
  const names = ['stories', ...downloadNames];
  const allowed =
    setting === 'data.corpus'
      ? `${names.join(', ')}, hf:owner/name, or an existing file, folder or glob`
      : 'an existing file, folder or glob';
  const nearest = setting === 'data.corpus' && !looksLikePath(corpus) ? nearestName(corpus, names) : undefined;
  throw new DataError(setting, corpus, 'there is no corpus, file or folder of that name.', allowed, nearest);
}
