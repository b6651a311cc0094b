/** Trains a BPE in a worker thread. Started by bpeBackground.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { keepCompiledCode } from '../../../files/compiledCode.ts';
import { mergesOf, trainBpe } from './bpeTrain.ts';
import type { CountedPieces } from './bpeTrain.ts';

export type BpeWorkerData = { readonly vocabularySize: number } & (
  | { readonly text: { readonly bytes: Uint8Array; readonly offsets: Float64Array } }
  | { readonly pieces: CountedPieces }
);

const data = workerData as BpeWorkerData;
const port = parentPort;
if (port === null) throw new Error('bpeWorker runs in a worker thread only');
keepCompiledCode();
const onProgress = (fraction: number): void => port.postMessage({ fraction });
const { merges, pieces } =
  'text' in data
    ? trainBpe(data.text.bytes, data.text.offsets, data.vocabularySize, onProgress)
    : mergesOf(data.pieces, data.vocabularySize, onProgress);
port.postMessage({ merges, pieces });
