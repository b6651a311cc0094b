/** The corpora that can be named, for lists. What each name means is decided in the engine's data folder. */
import { downloadNames } from '../../engine/data/downloads/registry.ts';

export interface CorpusEntry {
  readonly name: string;
  readonly size: string;
  readonly description: string;
}

const DOWNLOADS: Readonly<Record<string, Omit<CorpusEntry, 'name'>>> = {
  tinyshakespeare: {
    size: '1.1 MB',
    description: 'The works of Shakespeare in part, the classic first corpus (download)',
  },
  'wikitext-2': { size: '13 MB', description: 'Wikipedia articles, raw (download)' },
  'wikitext-103': { size: '540 MB', description: 'Wikipedia articles, raw (download)' },
  'hacker-news': {
    size: '250 MB',
    description: 'Titles of Hacker News posts (download; set data.size to take a part)',
  },
  'fineweb-edu': {
    size: '27 GB',
    description: 'Educational web pages, 10 billion tokens (download; set data.size to take a part)',
  },
};

export const CORPORA: readonly CorpusEntry[] = [
  {
    name: 'stories',
    size: 'any',
    description: 'Built in: little stories whose exact entropy is known (data.size bytes, data.corpus_seed)',
  },
  ...downloadNames.map((name) => ({ name, ...(DOWNLOADS[name] ?? { size: '?', description: 'Download' }) })),
  {
    name: 'hf:owner/name',
    size: '?',
    description: 'Any dataset of Hugging Face with Parquet files (data.config, data.split, data.column)',
  },
  {
    name: 'a path',
    size: '',
    description:
      'Text, JSONL, CSV or Parquet files of your own: a file, a folder or a glob (data.column, data.separator)',
  },
];
