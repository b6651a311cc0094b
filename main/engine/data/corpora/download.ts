/** Corpora that are fetched: what they have in common. What reads and fetches is loaded when one is opened. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Download } from '../downloads/fetch.ts';
import type { Regroup } from '../reading/reader.ts';
import { defineCorpus, limitOf, READER_VERSION, sizeIn } from './corpusKind.ts';
import type { CorpusKind, CorpusSource, SourceOptions } from './corpusKind.ts';

/** The text of a download, fetched file by file as it is read. */
export async function downloadSource(
  download: Download,
  config: Config,
  options: SourceOptions,
): Promise<CorpusSource> {
  const [{ fetchFiles, sizeOfDownload }, { readFiles, readInto }, { readingSettings }] = await Promise.all([
    import('../downloads/fetch.ts'),
    import('../reading/reader.ts'),
    import('../reading/settings.ts'),
  ]);
  const limit = sizeIn(config, 'data.size');
  const { column, regroup } = download;
  const settings = readingSettings(config, { column });
  const named = { reader: READER_VERSION, download: download.id, ...settings, limit, base: options.net };
  const reading = { ...settings, limit, setting: 'data.corpus' as const, totalBytes: 0, regroup, ...options };
  return {
    fingerprint: JSON.stringify(named),
    load: () => readFiles(fetchFiles(download, options), reading),
    size: () => sizeOfDownload(download, options),
    stream: async (sink, more) => {
      const totalBytes = await sizeOfDownload(download, options);
      return await readInto(sink, fetchFiles(download, options), { ...reading, totalBytes, ...more });
    },
  };
}

export interface HubCorpus {
  /** `owner/name` at Hugging Face. */
  readonly dataset: string;
  /** Taken unless data.config names another. */
  readonly config: string;
  /** Taken unless data.column names another. */
  readonly column: string;
  readonly regroup?: Regroup;
}

/** The download of a dataset at Hugging Face, by the settings for downloads. */
export function hubDownload(from: HubCorpus, c: Config): Download {
  const column = String(c['data.column'] ?? 'text') || 'text';
  const config = String(c['data.config'] ?? '') || from.config;
  const split = String(c['data.split'] ?? 'train') || 'train';
  return {
    id: `hf:${from.dataset}:${config}:${split}`,
    // `text` is the setting's default and means the corpus' own column.
    column: column === 'text' ? from.column : column,
    regroup: from.regroup,
    from: { kind: 'huggingface', dataset: from.dataset, config, split },
  };
}

/** A dataset of Hugging Face under a name of its own. */
export function hubCorpus(name: string, help: string, from: HubCorpus): CorpusKind {
  return defineCorpus({
    name,
    help,
    download: true,
    bytes: limitOf,
    open: (c, options) => downloadSource(hubDownload(from, c), c, options),
  });
}
