/** Encodes blocks in a worker thread. Started by pool.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { tokenizerNamed } from '../tokenizers/index.ts';
import { encodeBlock } from './blocks.ts';
import type { TextBlock } from './blocks.ts';

export interface EncodeWorkerData {
  readonly kind: string;
  readonly vocabularySize: number;
  readonly merges: Int32Array | null;
}

const port = parentPort;
if (port === null) throw new Error('encodeWorker runs in a worker thread only');
const { kind, vocabularySize, merges } = workerData as EncodeWorkerData;
const tokenizer = await tokenizerNamed(kind).restore(vocabularySize, merges);
port.on('message', (block: TextBlock) => {
  const encoded = encodeBlock(block, tokenizer);
  port.postMessage(encoded, [encoded.ids.buffer as ArrayBuffer]);
});
