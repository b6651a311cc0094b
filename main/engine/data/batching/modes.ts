/** How rows are made of a text, as `data.batching` says, and what follows for the programs that read them. */
import type { Config } from '../../../../preload/contract/settings.ts';

export type BatchingMode = 'random' | 'shuffled' | 'documents' | 'packed';

/** Ways that fill rows with whole documents: what is left over is padding. */
export const padsRows = (mode: BatchingMode): boolean => mode === 'documents' || mode === 'packed';

/** Whether batches may hold padding, which adds a mask to every program. */
export const isKeyMasked = (config: Config): boolean => padsRows(config['data.batching'] as BatchingMode);

/** Whether attention stays within the documents that share a row: each token then comes with the place where its own begins. */
export const isDocumentMasked = (config: Config): boolean => config['data.document_mask'] === true;
