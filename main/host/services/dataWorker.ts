/**
 * The thread that holds prepared data for the views of data: reading a corpus of many megabytes and cutting long texts into tokens takes
 * time that nobody else shall wait. What is not prepared yet is prepared before, in a process of its own (jobs.ts).
 */
import { workerData } from 'node:worker_threads';
import type { Config } from '../../../preload/contract/settings.ts';
import type { DataFacts, Token, TokenizerInfo } from '../../../preload/contract/shapes.ts';
import { currentDatasetKey, floorOf, prepareDatasets } from '../../lab/datasets/datasets.ts';
import type { Dataset, Reach } from '../../lab/datasets/datasets.ts';
import { loadCatalog } from '../../engine/plugins.ts';
import { Memo } from '../../engine/memo.ts';
import { trainingRows } from '../../engine/train/dataset.ts';
import { answerWith } from './threadMain.ts';

export interface DataWorkerData {
  readonly cache: string;
  /** Files of plug-ins, whose corpora and tokenizers are known here too. */
  readonly plugins: readonly string[];
}

/** Which rows of the training data a batch has. */
export interface BatchPlace {
  readonly length: number;
  readonly sequences: number;
  /** Its first row of that length, or the passes over the training data with it. */
  readonly begins: { readonly row: number } | { readonly endsAtEpoch: number };
}

export interface Asked {
  readonly config: Config;
  /** What reading may not leave; set by whoever asks the thread. */
  readonly reach?: Reach | undefined;
}

export type DataQuestions = {
  /** Another answer once a file was changed. */
  key: { ask: Asked; answer: string };
  stats: { ask: Asked; answer: DataFacts };
  tokens: { ask: Asked & { text: string }; answer: { tokens: Token[]; tokenizer: TokenizerInfo } };
  /** The first rows of the batch of a step, in the order in which a run with this configuration takes them. */
  rows: {
    ask: Asked & { batch: BatchPlace; count: number };
    answer: { rows: string[]; contentHash: string };
  };
  sample: {
    ask: Asked & { from: number };
    answer: { text: string; from: number; next: number; documents: number };
  };
};

/** Each holds its tokens. */
const KEPT = 2;
/** Text shown at a time: as many whole documents as make about this many bytes, and no more tokens of a longer one. */
const SAMPLE_BYTES = 4000;
const SAMPLE_TOKENS = 4000;

const { cache, plugins } = workerData as DataWorkerData;
const catalog = loadCatalog(plugins);
const loaded = new Memo<Promise<Dataset>>(KEPT);

async function load({ config, reach }: Asked): Promise<Dataset> {
  try {
    const kinds = await catalog;
    return await loaded.get(`${await currentDatasetKey(config, reach, kinds)} ${JSON.stringify(reach)}`, () =>
      prepareDatasets([config], { cacheDir: cache, reach, kinds }),
    );
  } catch (error) {
    // The cache may have been emptied meanwhile: the next question prepares again.
    loaded.clear();
    throw error;
  }
}

const infoOf = ({ tokenizer: { kind, vocabularySize } }: Dataset): TokenizerInfo => ({ kind, vocabularySize });

answerWith<DataQuestions>({
  key: async ({ config, reach }) => await currentDatasetKey(config, reach, await catalog),
  stats: async (asked) => {
    const dataset = await load(asked);
    const { contentHash, stats, reading } = dataset;
    const floor = floorOf(dataset);
    return {
      contentHash,
      stats,
      tokenizer: infoOf(dataset),
      entropyFloor: floor?.bitsPerByte ?? null,
      entropyFloorError: floor?.standardError ?? null,
      reading,
    };
  },
  tokens: async ({ text, ...asked }) => {
    const dataset = await load(asked);
    const { tokenizer } = dataset;
    const ids = tokenizer.encode(Buffer.from(text, 'utf8'));
    // One look-up per different token: texts repeat themselves.
    const known = new Map<number, Token>();
    const tokens = [...ids].map((id): Token => {
      const token = known.get(id) ?? { id, bytes: Uint8Array.from(tokenizer.decode([id])) };
      known.set(id, token);
      return token;
    });
    return { tokens, tokenizer: infoOf(dataset) };
  },
  rows: async ({ batch: { length, sequences, begins }, count, ...asked }) => {
    const { config } = asked;
    const dataset = await load(asked);
    const { tokenizer, contentHash } = dataset;
    const data = trainingRows(dataset, config, length);
    const first = 'row' in begins ? begins.row : Math.round(begins.endsAtEpoch * data.rowsPerEpoch) - sequences;
    const batch = data.rows(first, count);
    const rows = Array.from({ length: count }, (_, row) => {
      const [from, to] = [row * batch.length, (row + 1) * batch.length];
      // Padding is at the end of a row, and no target.
      const used = batch.keyMask?.subarray(from, to).indexOf(0) ?? -1;
      const tokens = batch.inputs.subarray(from, used < 0 ? to : from + used);
      return Buffer.from(tokenizer.decode(tokens)).toString('utf8');
    });
    return { rows, contentHash };
  },
  sample: async ({ from: wanted, ...asked }) => {
    const { train, tokenizer } = await load(asked);
    const documents = train.offsets.length - 1;
    const from = Math.min(wanted, Math.max(0, documents - 1));
    const texts: string[] = [];
    let bytes = 0;
    let next = from;
    while (next < documents && bytes < SAMPLE_BYTES) {
      const begin = train.offsets[next]!;
      // Without the end-of-document token.
      const end = Math.min(train.offsets[next + 1]! - 1, begin + SAMPLE_TOKENS);
      const text = Buffer.from(tokenizer.decode(train.tokens.subarray(begin, end)));
      bytes += text.length;
      texts.push(text.toString('utf8'));
      next++;
    }
    return { text: texts.join('\n\n'), from, next: next >= documents ? 0 : next, documents };
  },
});
