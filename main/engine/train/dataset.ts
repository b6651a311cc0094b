/** The dataset of a configuration in the form that the training loop takes. */
import {
  batcher,
  entropyFloor,
  evaluationSet,
  isDocumentMasked,
  mixedBatcher,
  mixedValidation,
  ofMixture,
  padsRows,
  prepareDataset,
  textIdentity,
  tokenizerIdentity,
} from '../data/index.ts';
import type { Batcher } from '../data/batching/batcher.ts';
import type { BatchingMode, Dataset, EvaluationSet } from '../data/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { readingText } from '../../../preload/shared/reading.ts';
import { Memo } from '../memo.ts';
import type { PreparedData, PrepareRequest, TrainingRows } from './data.ts';

/** A run has one at a time. */
const MOST_LENGTHS = 2;

/** Training rows in the order of a run, of the whole context or of a length that it begins with. */
export function trainingRows(
  dataset: Dataset,
  config: Config,
  length = config['model.context'] as number,
): TrainingRows {
  const seed = config.seed as number;
  const of = (text: Dataset): Batcher =>
    batcher(text, {
      mode: config['data.batching'] as BatchingMode,
      context: length,
      longest: config['model.context'] as number,
      seed,
      documentMask: isDocumentMasked(config),
    });
  const { texts } = dataset;
  if (texts === undefined) {
    const { rowsPerEpoch, tokensPerEpoch, rows } = of(dataset);
    return { rowsPerEpoch, tokensPerRow: tokensPerEpoch / rowsPerEpoch, rows };
  }
  const mixed = mixedBatcher(
    texts.map((text) => ({ batcher: of(text.dataset), share: text.share })),
    seed,
  );
  return {
    rowsPerEpoch: mixed.rowsPerEpoch,
    tokensPerRow: mixed.tokensPerRow,
    rows: (first, count) => mixed.rows(first, count),
    epochsOfTexts: (rows) => {
      const epochs = mixed.epochs(rows);
      return Object.fromEntries(texts.map(({ name }, t) => [name, epochs[t]!]));
    },
  };
}

/** Reads, splits and tokenizes, through the caches. Errors name the setting to change. */
export async function prepareData({ config, kinds, cache, onProgress, signal }: PrepareRequest): Promise<PreparedData> {
  const dataset = await prepareDataset(config, {
    cacheDir: cache,
    kinds,
    signal,
    onProgress: ({ phase, fraction, etaSeconds, detail }) =>
      onProgress?.(
        detail === undefined ? phase : `${phase}: ${detail}`,
        fraction ?? undefined,
        etaSeconds ?? undefined,
      ),
  });
  const { tokenizer, stats, information, texts } = dataset;
  const context = config['model.context'] as number;
  const mode = config['data.batching'] as BatchingMode;
  const layout = padsRows(mode) ? 'documents' : 'stream';
  const documentMask = isDocumentMasked(config);
  const limit = config['eval.tokens'] as number;
  const train = trainingRows(dataset, config);
  const shorter = new Memo<TrainingRows>(MOST_LENGTHS);
  const mixed = texts === undefined ? null : mixedValidation(texts, limit);
  const validation = mixed?.split ?? dataset.validation;
  const evaluation = (rows: number): EvaluationSet => {
    const options = { layout, context, rows, limit: mixed === null ? limit : 0, documentMask } as const;
    const set = evaluationSet(validation, tokenizer, options);
    return mixed === null ? set : ofMixture(set, mixed);
  };
  const scored = evaluation(1);
  const floor = information === null ? null : entropyFloor(validation, tokenizer, information, scored.tokens);
  const text = new TextDecoder();
  return {
    vocabularySize: tokenizer.vocabularySize,
    keyMasked: padsRows(mode),
    ...train,
    atLength: (length) =>
      length === context ? train : shorter.get(String(length), () => trainingRows(dataset, config, length)),
    validationRows: scored.batches,
    validation: evaluation,
    info: {
      trainTokens: stats.trainTokens,
      trainBytes: stats.trainBytes,
      validationTokens: stats.validationTokens,
      validationBytes: stats.validationBytes,
      vocabularySize: tokenizer.vocabularySize,
      sequencesPerEpoch: train.rowsPerEpoch,
      scoredTokens: scored.tokens,
      scoredBytes: scored.bytes,
      scoredUnit: scored.units.unit,
      scoredUnits: scored.units.ends.length,
      entropyFloor: floor?.bitsPerByte,
      entropyFloorError: floor?.standardError ?? undefined,
      reading: readingText(dataset.reading) ?? undefined,
      hash: dataset.contentHash,
      scoredText: textIdentity(validation, tokenizer, scored.tokens),
      tokenizer: tokenizerIdentity(tokenizer),
    },
    endToken: tokenizer.eosId,
    encode: (prompt) => tokenizer.encode(new TextEncoder().encode(prompt)),
    decode: (tokens) => text.decode(tokenizer.decode(tokens)),
  };
}
