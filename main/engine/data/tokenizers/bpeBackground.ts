/** Training off the main thread, with progress and cancelling. */
import { Worker } from 'node:worker_threads';
import { threadOptions } from '../../../files/compiledCode.ts';
import type { Corpus } from '../corpus.ts';
import { throwIfAborted } from '../errors.ts';
import type { BpeTraining, CountedPieces } from './bpeTrain.ts';
import type { BpeWorkerData } from './bpeWorker.ts';

export interface TrainBpeOptions {
  /** 0 … 1. */
  readonly onProgress?: (fraction: number) => void;
  /** Aborting ends the thread at once and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** `trainBpe` on a corpus in a thread of its own. The text is copied once into memory that both threads share. */
export async function trainBpeInWorker(
  corpus: Corpus,
  vocabularySize: number,
  options: TrainBpeOptions = {},
): Promise<BpeTraining> {
  throwIfAborted(options.signal);
  const shared = new Uint8Array(new SharedArrayBuffer(Math.max(1, corpus.bytes.length))).subarray(
    0,
    corpus.bytes.length,
  );
  shared.set(corpus.bytes);
  return await inWorker({ text: { bytes: shared, offsets: corpus.offsets }, vocabularySize }, [], options);
}

/** The same from pieces that were counted, which are taken away. */
export async function mergesInWorker(
  pieces: CountedPieces,
  vocabularySize: number,
  options: TrainBpeOptions = {},
): Promise<BpeTraining> {
  throwIfAborted(options.signal);
  const taken = [pieces.bytes.buffer, pieces.ends.buffer, pieces.counts.buffer];
  return await inWorker({ pieces, vocabularySize }, taken, options);
}

async function inWorker(
  workerData: BpeWorkerData,
  transferList: ArrayBuffer[],
  { onProgress, signal }: TrainBpeOptions,
): Promise<BpeTraining> {
  const worker = new Worker(new URL('./bpeWorker.ts', import.meta.url), {
    workerData,
    transferList,
    ...threadOptions(),
  });
  let cancel: (() => void) | undefined;
  try {
    return await new Promise<BpeTraining>((resolve, reject) => {
      cancel = () => reject(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
      signal?.addEventListener('abort', cancel, { once: true });
      worker.on('message', (message: { fraction: number } | BpeTraining) => {
        if ('fraction' in message) onProgress?.(message.fraction);
        else resolve(message);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the tokenizer's training thread ended with code ${code}`)));
    });
  } finally {
    if (cancel !== undefined) signal?.removeEventListener('abort', cancel);
    await worker.terminate();
  }
}
