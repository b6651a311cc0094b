import { DataError } from '../errors.ts';
import { defineCorpus, limitOf } from './corpusKind.ts';
import { downloadSource, hubDownload } from './download.ts';

const PREFIX = 'hf:';

/** Whether this names a dataset of Hugging Face and nothing else: no path, in particular. */
export function namesDataset(corpus: string): boolean {
  const dataset = corpus.slice(PREFIX.length);
  return corpus.startsWith(PREFIX) && /^[\w.-]+(\/[\w.-]+)?$/u.test(dataset) && !dataset.includes('..');
}

export const huggingface = defineCorpus({
  name: 'huggingface',
  shown: 'hf:owner/name',
  help: 'any dataset of Hugging Face with Parquet files (data.config, data.split, data.column)',
  matches: (value) => value.startsWith(PREFIX),
  download: true,
  bytes: limitOf,
  open(c, options) {
    const corpus = String(c['data.corpus']);
    if (!namesDataset(corpus))
      throw new DataError('data.corpus', corpus, 'not the name of a Hugging Face dataset.', 'hf:owner/name');
    return downloadSource(
      hubDownload({ dataset: corpus.slice(PREFIX.length), config: '', column: 'text' }, c),
      c,
      options,
    );
  },
});
