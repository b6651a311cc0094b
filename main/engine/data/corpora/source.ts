/** From the data settings to a corpus: the built-in stories, files, or a download. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Corpus } from '../corpus.ts';
import { CorpusBuilder } from '../corpus.ts';
import { fetchFiles, findDownload, downloadNames } from '../downloads/registry.ts';
import type { NetOptions } from '../downloads/transfer.ts';
import { DataError, throwIfAborted } from '../errors.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { sha256 } from '../../../files/whole.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { findFiles, looksLikePath, readFiles } from './files.ts';
import type { CorpusFile } from './files.ts';
import { story } from './stories.ts';
import { unescapeSeparator } from './text.ts';

const DEFAULT_STORIES_SIZE = 2_000_000;

export interface SourceOptions {
  readonly cacheDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Where downloads come from; for tests. */
  readonly net?: NetOptions;
}

export interface CorpusSource {
  /** Equal fingerprints mean the same text: names settings and the versions of files. JSON. */
  readonly fingerprint: string;
  load(): Promise<Corpus>;
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
      return builder.build();
    },
  };
}

function fromFiles(
  files: readonly CorpusFile[],
  config: Config,
  setting: string,
  options: SourceOptions,
): CorpusSource {
  const column = text(config, 'data.column', 'text');
  const separator = unescapeSeparator(text(config, 'data.separator', '\n\n'));
  // A validation file is read whole.
  const limit = setting === 'data.corpus' ? integer(config, 'data.size', 0) : 0;
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  return {
    fingerprint: JSON.stringify({ files: files.map(({ path, version }) => [path, version]), column, separator, limit }),
    load: () => readFiles(files, { column, separator, limit, setting, totalBytes, ...options }),
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
      const { column, regroup } = download;
      const separator = unescapeSeparator(download.separator ?? text(config, 'data.separator', '\n\n'));
      return {
        fingerprint: JSON.stringify({ download: download.id, column, separator, limit, base: options.net }),
        load: () =>
          readFiles(fetchFiles(download, options), {
            column,
            separator,
            limit,
            setting,
            totalBytes: 0,
            regroup,
            ...options,
          }),
      };
    }
  }
  const files = await findFiles(corpus, setting);
  if (files !== null) return fromFiles(files, config, setting, options);
  const names = ['stories', ...downloadNames];
  const allowed =
    setting === 'data.corpus'
      ? `${names.join(', ')}, hf:owner/name, or an existing file, folder or glob`
      : 'an existing file, folder or glob';
  const nearest = setting === 'data.corpus' && !looksLikePath(corpus) ? nearestName(corpus, names) : undefined;
  throw new DataError(setting, corpus, 'there is no corpus, file or folder of that name.', allowed, nearest);
}
