import { batcher, evaluationSet } from '../../../main/engine/data/index.ts';
import type { Tokenizer } from '../../../main/engine/data/index.ts';
import type { PreparedData, PrepareData, TrainingRows } from '../../../main/engine/train/data.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

export interface FakeOptions {
  /** Rows of whole documents with padding. */
  readonly keyMasked?: boolean;
  readonly hash?: string;
}

const VOCABULARY = 24;
const END = 0;

/** Documents with a pattern to learn (mostly the successor of a token, sometimes anything), each followed by END. */
function split(length: number, name: string) {
  const random = new Stream(5, name);
  const tokens = new Int32Array(length);
  const offsets = [0];
  for (let i = 0; i < length; i++) {
    if (i === length - 1 || random.uniform() < 0.1) {
      tokens[i] = END;
      offsets.push(i + 1);
    } else {
      const last = i === 0 ? END : tokens[i - 1]!;
      tokens[i] = random.uniform() < 0.8 ? 1 + ((last * 5 + 3) % (VOCABULARY - 1)) : 1 + random.int(VOCABULARY - 1);
    }
  }
  return { tokens, offsets: Float64Array.from(offsets), bytes: length - offsets.length + 1 };
}

/** A small dataset in memory. */
export function fakeData({ keyMasked = false, hash = 'fake' }: FakeOptions = {}): PrepareData {
  return async ({ config }): Promise<PreparedData> => {
    const context = config['model.context'] as number;
    const train = split(2000, 'train');
    const validation = split(110, 'validation');
    const tokenizer = {
      eosId: END,
      padId: END,
      tokenBytes: new Int32Array(VOCABULARY).fill(1).fill(0, END, END + 1),
    } as unknown as Tokenizer;
    const mode = keyMasked ? 'documents' : 'shuffled';
    const layout = keyMasked ? 'documents' : 'stream';
    const rowsOf = (length: number): TrainingRows => {
      const made = batcher(
        { train, tokenizer },
        { mode, context: length, longest: context, seed: config.seed as number },
      );
      return {
        rowsPerEpoch: made.rowsPerEpoch,
        tokensPerRow: made.tokensPerEpoch / made.rowsPerEpoch,
        rows: made.rows,
      };
    };
    const made = rowsOf(context);
    const evaluation = (rows: number) => evaluationSet(validation, tokenizer, { layout, context, rows });
    return {
      vocabularySize: VOCABULARY,
      keyMasked,
      ...made,
      atLength: rowsOf,
      validationRows: evaluation(1).batches,
      validation: evaluation,
      info: {
        trainTokens: train.tokens.length,
        trainBytes: train.bytes,
        validationTokens: validation.tokens.length,
        validationBytes: validation.bytes,
        vocabularySize: VOCABULARY,
        sequencesPerEpoch: made.rowsPerEpoch,
        hash,
        scoredText: `text of ${hash}`,
        tokenizer: 'letters',
      },
      endToken: END,
      encode: (value) => Int32Array.from(value, (character) => character.charCodeAt(0) % VOCABULARY),
      decode: (tokens) => Array.from(tokens, (token) => String.fromCharCode(97 + token)).join(''),
    };
  };
}
