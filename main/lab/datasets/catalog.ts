/** The corpora that can be named, and the datasets that are prepared, for lists. What each name means is decided in the engine's data folder. */
import { corpusDescriptions } from '../../engine/data/index.ts';

export { listDatasets } from '../../engine/data/index.ts';
export type { CachedDataset } from '../../engine/data/index.ts';

export interface CorpusEntry {
  /** Value of `data.corpus`. */
  readonly name: string;
  readonly description: string;
}

export const CORPORA: readonly CorpusEntry[] = [
  ...Object.entries(corpusDescriptions).map(([name, description]) => ({ name, description })),
  {
    name: 'hf:owner/name',
    description: 'any dataset of Hugging Face with Parquet files (data.config, data.split, data.column)',
  },
  {
    name: 'a path',
    description:
      'your own text, JSONL, JSON, CSV, TSV or Parquet, compressed or not: a file, a folder or a glob (data.column, data.separator)',
  },
];
