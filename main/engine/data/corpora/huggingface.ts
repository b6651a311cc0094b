import { DataError } from '../errors.ts';
import { defineCorpus, limitOf } from './corpusKind.ts';
import { downloadSource, hubDownload } from './download.ts';

const PREFIX = 'hf:';

export const huggingface = defineCorpus({
  name: 'huggingface',
  shown: 'hf:owner/name',
  help: 'any dataset of Hugging Face with Parquet files (data.config, data.split, data.column)',
  matches: (value) => value.startsWith(PREFIX),
  download: true,
  bytes: limitOf,
  open(c, options) {
    const corpus = String(c['data.corpus']);
    const dataset = corpus.slice(PREFIX.length);
    if (!/^[\w.-]+(\/[\w.-]+)?$/.test(dataset) || dataset.includes('..'))
      throw new DataError('data.corpus', corpus, 'not the name of a Hugging Face dataset.', 'hf:owner/name');
    return downloadSource(hubDownload({ dataset, config: '', column: 'text' }, c), c, options);
  },
});
