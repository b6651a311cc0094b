/** Threads that encode blocks. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { encodeBlock } from './blocks.ts';
import type { TextBlock, TokenBlock } from './blocks.ts';
import type { EncodeWorkerData } from './encodeWorker.ts';

export interface Encoder extends AsyncDisposable {
  /** Blocks that it works on side by side. */
  readonly lanes: number;
  /** The text is taken away. */
  encode(block: TextBlock): Promise<TokenBlock>;
}

const MOST_THREADS = 16;

/** A thread, and who waits for what it was given, in order. */
class Lane {
  readonly worker: Worker;
  readonly #waiting: { resolve(block: TokenBlock): void; reject(error: Error): void }[] = [];
  #failed: Error | undefined;

  constructor(data: EncodeWorkerData) {
    this.worker = new Worker(new URL('./encodeWorker.ts', import.meta.url), {
      workerData: data,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.worker.on('message', (block: TokenBlock) => this.#waiting.shift()!.resolve(block));
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
      this.worker.postMessage(block, [block.text.buffer]);
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
  const lanes = Array.from({ length: Math.min(MOST_THREADS, threads) }, () => new Lane(data));
  return {
    lanes: lanes.length,
    encode: (block) => lanes.reduce((least, lane) => (lane.load < least.load ? lane : least)).give(block),
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
  [Symbol.asyncDispose]: () => Promise.resolve(),
});
