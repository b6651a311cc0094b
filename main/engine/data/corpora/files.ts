import type { Config } from '../../../../preload/contract/settings.ts';
import { DataError } from '../errors.ts';
import type { ReadingNotes } from '../reading/notes.ts';
import type { ReadingOptions } from '../reading/reader.ts';
import { defineCorpus, limitOf, READER_VERSION, sizeIn } from './corpusKind.ts';
import type { CorpusSource, SourceOptions } from './corpusKind.ts';

/** The files that a setting names, by path, folder or glob; null when there are none. A validation file is read whole. */
export async function filesAt(
  config: Config,
  setting: 'data.corpus' | 'data.validation_path',
  options: SourceOptions,
): Promise<CorpusSource | null> {
  // What reads files is loaded when some are opened.
  const [{ findFiles }, { readFiles, readInto }, { readingSettings }] = await Promise.all([
    import('../reading/listing.ts'),
    import('../reading/reader.ts'),
    import('../reading/settings.ts'),
  ]);
  const listing = await findFiles(String(config[setting]), setting);
  if (listing === null) return null;
  const { files, notes } = listing;
  const settings = readingSettings(config);
  const limit = setting === 'data.corpus' ? sizeIn(config, 'data.size') : 0;
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const listed = files.map(({ path, version }) => [path, version]);
  const { leftOut } = notes.report(0, 0, true);
  const reading = (own: ReadingNotes): ReadingOptions => ({
    ...settings,
    limit,
    setting,
    totalBytes,
    notes: own,
    ...options,
  });
  return {
    fingerprint: JSON.stringify({ reader: READER_VERSION, files: listed, leftOut, ...settings, limit }),
    load: () => readFiles(files, reading(notes)),
    size: () => Promise.resolve(totalBytes),
    stream: (sink, more) => readInto(sink, files, { ...reading(notes.copy()), ...more }),
  };
}

/** Whatever no other corpus is named by. */
export const files = defineCorpus({
  name: 'files',
  shown: 'a path',
  help: 'your own text, JSONL, JSON, CSV, TSV or Parquet, compressed or not: a file, a folder or a glob (data.column, data.separator)',
  bytes: limitOf,
  async open(c, options) {
    const source = await filesAt(c, 'data.corpus', options);
    if (source !== null) return source;
    throw new DataError('data.corpus', c['data.corpus'], 'there is no corpus, file or folder of that name.', 'a path');
  },
});
