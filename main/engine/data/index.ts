/** The public face of the data folder. */
export { checkDataSettings, prepareDataset } from './prepare.ts';
export { listDatasets } from './datasetCache.ts';
export type { CachedDataset } from './datasetCache.ts';
export type { PrepareOptions } from './prepare.ts';
export type { Dataset, DatasetStats, TokenArray, TokenSplit } from './dataset.ts';
export { entropyFloor } from './floor.ts';
export type { EntropyFloor } from './floor.ts';
export type { DataProgress, OnProgress } from './progress.ts';
export { DataError } from './errors.ts';
export { vocabularyOf } from './tokenizers/index.ts';
export type { Tokenizer } from './tokenizers/tokenizer.ts';
export { batcher } from './batching/batcher.ts';
export type { Batcher, BatcherOptions, BatchingMode } from './batching/batcher.ts';
export { evaluationSet } from './batching/evaluation.ts';
export type { EvaluationOptions, EvaluationSet } from './batching/evaluation.ts';
export { IGNORE } from './batching/layout.ts';
export type { Batch } from './batching/layout.ts';
export { corpusDescriptions, downloadNames } from './downloads/registry.ts';
