/** Encodes blocks in a worker thread. Started by pool.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { keepCompiledCode } from '../../../files/compiledCode.ts';
import { encoderOver } from '../tokenizers/pieceRules.ts';
import type { EncoderTables } from '../tokenizers/pieceRules.ts';
import { buffersOf, encodeBlock } from './blocks.ts';
import type { TextBlock, TextEncoding, TokenBlock } from './blocks.ts';

export interface EncodeWorkerData {
  readonly kind: string;
  readonly vocabularySize: number;
  readonly eosId: number;
  readonly merges: Int32Array | null;
  /** With these nothing else of the tokenizer is made here. */
  readonly tables: EncoderTables | null;
}

/** A block, and memory for its ids. */
export interface EncodeRequest {
  readonly block: TextBlock;
  readonly spare: ArrayBuffer | undefined;
}

/** Its ids, and the memory of its text. */
export interface EncodeAnswer {
  readonly encoded: TokenBlock;
  readonly text: ArrayBuffer;
}

async function encoding({ kind, vocabularySize, eosId, merges, tables }: EncodeWorkerData): Promise<TextEncoding> {
  if (tables !== null) return { vocabularySize, eosId, encode: encoderOver(tables) };
  const { tokenizerNamed } = await import('../tokenizers/index.ts');
  return await tokenizerNamed(kind).restore(vocabularySize, merges);
}

const port = parentPort;
if (port === null) throw new Error('encodeWorker runs in a worker thread only');
keepCompiledCode();
const tokenizer = await encoding(workerData as EncodeWorkerData);
port.on('message', ({ block, spare }: EncodeRequest) => {
  const encoded = encodeBlock(block, tokenizer, spare);
  const { buffer } = block.text;
  port.postMessage({ encoded, text: buffer } satisfies EncodeAnswer, [
    encoded.ids.buffer as ArrayBuffer,
    buffer,
    ...buffersOf(encoded.parts),
  ]);
});
