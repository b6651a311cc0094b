/** Threads that encode blocks. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { threadOptions } from '../../../files/compiledCode.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { BLOCK, BLOCK_BUFFER, buffersOf, encodeBlock } from './blocks.ts';
import type { TextBlock, TokenBlock } from './blocks.ts';
import type { EncodeAnswer, EncodeRequest, EncodeWorkerData } from './encodeWorker.ts';

export interface Encoder extends AsyncDisposable {
  /** Blocks that it works on side by side. */
  readonly lanes: number;
  /** The text is taken away. */
  encode(block: TextBlock): Promise<TokenBlock>;
  /** Memory that an earlier text lay in. */
  spareText(): ArrayBuffer | undefined;
  /** Takes back what was encoded, once it is written. */
  recycle(block: TokenBlock): void;
}

/** Memory that goes round: what is given back to the system only now and then leaves holes, and grows. */
class Spares {
  readonly texts: ArrayBuffer[] = [];
  readonly ids: ArrayBuffer[] = [];

  /** Of the usual size alone: what a long document has needed goes. */
  keepText(buffer: ArrayBuffer): void {
    if (buffer.byteLength === BLOCK_BUFFER) this.texts.push(buffer);
  }

  keepIds({ ids }: TokenBlock): void {
    if (ids.buffer.byteLength <= MOST_IDS) this.ids.push(ids.buffer as ArrayBuffer);
  }

  /** Memory for the ids of a block. */
  forIds(): ArrayBuffer {
    return this.ids.pop() ?? new ArrayBuffer(FIRST_IDS);
  }
}

const MOST_THREADS = 16;
const YOUNG_MIB = 12;
/** Bytes for the ids of a block, which grow where they are too few. */
const FIRST_IDS = BLOCK;
/** More hardly ever come again. */
const MOST_IDS = 4 * BLOCK_BUFFER;

/** A thread, and who waits for what it was given, in order. */
class Lane {
  readonly worker: Worker;
  readonly #waiting: { resolve(block: TokenBlock): void; reject(error: Error): void }[] = [];
  #failed: Error | undefined;

  readonly #spares: Spares;

  constructor(data: EncodeWorkerData, spares: Spares) {
    this.#spares = spares;
    this.worker = new Worker(new URL('./encodeWorker.ts', import.meta.url), {
      ...threadOptions(),
      workerData: data,
      // What it makes lives for a moment: with room for much it would fill that first.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.worker.on('message', ({ encoded, text }: EncodeAnswer) => {
      spares.keepText(text);
      this.#waiting.shift()!.resolve(encoded);
    });
    this.worker.on('error', (error: Error) => this.#fail(error));
    this.worker.on('exit', (code) => this.#fail(new Error(`a thread that encodes text ended with code ${code}`)));
  }

  get load(): number {
    return this.#waiting.length;
  }

  give(block: TextBlock): Promise<TokenBlock> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== undefined) return reject(this.#failed);
      this.#waiting.push({ resolve, reject });
      const spare = this.#spares.forIds();
      this.worker.postMessage({ block, spare } satisfies EncodeRequest, [
        block.text.buffer,
        spare,
        ...buffersOf(block.parts),
      ]);
    });
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failed);
  }
}

/** As many threads as there are processors. @param merges from which the tokenizer is made again, where it was trained */
export function encoderThreads(
  { kind, vocabularySize, eosId, sharedTables }: Tokenizer,
  merges: Int32Array | null,
  threads = availableParallelism(),
): Encoder {
  const data: EncodeWorkerData = { kind, vocabularySize, eosId, merges, tables: sharedTables?.() ?? null };
  const spares = new Spares();
  const lanes = Array.from({ length: Math.min(MOST_THREADS, threads) }, () => new Lane(data, spares));
  return {
    lanes: lanes.length,
    encode: (block) => lanes.reduce((least, lane) => (lane.load < least.load ? lane : least)).give(block),
    spareText: () => spares.texts.pop(),
    recycle: (block) => spares.keepIds(block),
    async [Symbol.asyncDispose]() {
      await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    },
  };
}

/** Without threads: for a tokenizer that only this one knows. */
export const encoderHere = (tokenizer: Tokenizer): Encoder => ({
  lanes: 1,
  encode: async (block) => {
    await new Promise((resolve) => setImmediate(resolve));
    return encodeBlock(block, tokenizer);
  },
  spareText: () => undefined,
  recycle: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
});
