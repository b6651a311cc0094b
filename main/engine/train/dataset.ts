/** The dataset of a configuration in the form that the training loop takes. */
import {
  batcher,
  entropyFloor,
  evaluationSet,
  isDocumentMasked,
  padsRows,
  prepareDataset,
  textIdentity,
  tokenizerIdentity,
} from '../data/index.ts';
import type { BatchingMode } from '../data/index.ts';
import { readingText } from '../../../preload/shared/reading.ts';
import type { PreparedData, PrepareRequest } from './data.ts';

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
  const { tokenizer, stats, validation, information } = dataset;
  const context = config['model.context'] as number;
  const mode = config['data.batching'] as BatchingMode;
  const layout = padsRows(mode) ? 'documents' : 'stream';
  const documentMask = isDocumentMasked(config);
  const limit = config['eval.tokens'] as number;
  const train = batcher(dataset, { mode, context, seed: config.seed as number, documentMask });
  const evaluation = (rows: number) =>
    evaluationSet(validation, tokenizer, { layout, context, rows, limit, documentMask });
  const scored = evaluation(1);
  const floor = information === null ? null : entropyFloor(validation, tokenizer, information, scored.tokens);
  const text = new TextDecoder();
  return {
    vocabularySize: tokenizer.vocabularySize,
    keyMasked: padsRows(mode),
    rowsPerEpoch: train.rowsPerEpoch,
    tokensPerRow: train.tokensPerEpoch / train.rowsPerEpoch,
    rows: (first, count) => train.rows(first, count),
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
