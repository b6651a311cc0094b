/** Encodes blocks in a worker thread. Started by pool.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { encoderOver } from '../tokenizers/pieceRules.ts';
import type { EncoderTables } from '../tokenizers/pieceRules.ts';
import { encodeBlock } from './blocks.ts';
import type { TextBlock, TextEncoding } from './blocks.ts';

export interface EncodeWorkerData {
  readonly kind: string;
  readonly vocabularySize: number;
  readonly eosId: number;
  readonly merges: Int32Array | null;
  /** With these nothing else of the tokenizer is made here. */
  readonly tables: EncoderTables | null;
}

async function encoding({ kind, vocabularySize, eosId, merges, tables }: EncodeWorkerData): Promise<TextEncoding> {
  if (tables !== null) return { vocabularySize, eosId, encode: encoderOver(tables).encode };
  const { tokenizerNamed } = await import('../tokenizers/index.ts');
  return await tokenizerNamed(kind).restore(vocabularySize, merges);
}

const port = parentPort;
if (port === null) throw new Error('encodeWorker runs in a worker thread only');
const tokenizer = await encoding(workerData as EncodeWorkerData);
port.on('message', (block: TextBlock) => {
  const encoded = encodeBlock(block, tokenizer);
  port.postMessage(encoded, [encoded.ids.buffer as ArrayBuffer]);
});
