/** Chooses, trains and caches the tokenizer of a configuration. */
import { join } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import { Stream } from '../../random/stream.ts';
import type { Corpus } from '../corpus.ts';
import { corpusHash, documentCount, selectDocuments } from '../corpus.ts';
import { DataError } from '../errors.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { writeAtomic } from '../../../files/atomic.ts';
import { readWhole, sha256 } from '../../../files/whole.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { FIRST_MERGE, bpeTokenizer } from './bpe.ts';
import { trainBpeInWorker } from './bpeBackground.ts';
import { BYTE_VOCABULARY, byteTokenizer } from './byte.ts';
import { GPT2_VOCABULARY, gpt2Id, gpt2Tokenizer } from './gpt2.ts';
import type { Tokenizer } from './tokenizer.ts';

const KINDS = ['byte', 'bpe', 'gpt2'];
/** Part of every cache key: raise it when pre-tokenization, training or the file format changes. */
const TRAINING_VERSION = 'bpe-1';

const kindOf = (config: Config) => config['tokenizer.kind'] ?? 'byte';

/** Vocabulary size of a configuration, known before any data is read. */
export function vocabularyOf(config: Config): number {
  const kind = kindOf(config);
  if (kind === 'byte') return BYTE_VOCABULARY;
  if (kind === 'gpt2') return GPT2_VOCABULARY;
  if (kind === 'bpe') {
    const size = config['tokenizer.vocabulary'] ?? 1024;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < FIRST_MERGE || size > 65_536) {
      const nearest = typeof size === 'number' ? Math.min(65_536, Math.max(FIRST_MERGE, Math.round(size))) : 1024;
      throw new DataError(
        'tokenizer.vocabulary',
        size,
        'not a vocabulary size.',
        'an integer from 257 to 65536',
        nearest,
      );
    }
    return size;
  }
  throw new DataError('tokenizer.kind', kind, 'no such tokenizer.', KINDS.join(', '), nearestName(String(kind), KINDS));
}

/** The part of the training split that the tokenizer learns from: documents drawn at random, up to `sample` bytes. */
function trainingSample(train: Corpus, sample: number, seed: number): Corpus {
  if (sample <= 0 || sample >= train.bytes.length) return train;
  const order = new Stream(seed, 'data/tokenizer_sample').shuffle(
    Int32Array.from({ length: documentCount(train) }, (_, i) => i),
  );
  let bytes = 0;
  let count = 0;
  while (count < order.length && bytes < sample) {
    const d = order[count++];
    bytes += train.offsets[d + 1] - train.offsets[d];
  }
  const chosen = selectDocuments(train, order.slice(0, count).sort());
  if (bytes <= sample || count > 1) return chosen;
  return { bytes: chosen.bytes.subarray(0, sample), offsets: Float64Array.of(0, sample), bits: null };
}

interface MergeFile {
  readonly version: string;
  readonly merges: readonly number[];
  readonly sha256: string;
}

const mergesChecksum = (merges: ArrayLike<number>) => sha256(new Uint8Array(Int32Array.from(merges).buffer));

async function readMerges(path: string, vocabularySize: number): Promise<Int32Array | null> {
  const bytes = await readWhole(path);
  if (bytes === null) return null;
  try {
    const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as MergeFile;
    if (file.version !== TRAINING_VERSION || file.sha256 !== mergesChecksum(file.merges)) return null;
    const merges = Int32Array.from(file.merges);
    bpeTokenizer(merges, vocabularySize);
    return merges;
  } catch {
    // Damaged: trained again and replaced.
    return null;
  }
}

export interface TokenizerOptions {
  readonly cacheDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface PreparedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Names the tokenizer by content: equal ids mean equal encodings. */
  readonly id: string;
  /** Left and right id of each merge, where the tokenizer was trained here; else null. */
  readonly merges: Int32Array | null;
}

/**
 * The tokenizer for a configuration, trained on `train` alone where it is trained, or taken from the cache. `validation` only
 * counts for its name.
 */
export async function prepareTokenizer(
  config: Config,
  train: Corpus,
  validation: Corpus,
  options: TokenizerOptions,
): Promise<PreparedTokenizer> {
  const vocabularySize = vocabularyOf(config);
  if (kindOf(config) === 'byte') return { tokenizer: byteTokenizer(), id: 'byte-1', merges: null };
  if (kindOf(config) === 'gpt2')
    return { tokenizer: await gpt2Tokenizer(), id: gpt2Id([train.bytes, validation.bytes]), merges: null };
  const text = trainingSample(train, Number(config['tokenizer.sample'] ?? 0), Number(config['data.corpus_seed'] ?? 0));
  const id = sha256(`${TRAINING_VERSION}:${vocabularySize}:${corpusHash(text)}`).slice(0, 32);
  const path = join(options.cacheDir, 'tokenizers', `${id}.json`);
  const cached = await readMerges(path, vocabularySize);
  if (cached !== null) return { tokenizer: bpeTokenizer(cached, vocabularySize), id, merges: cached };
  const meter = new PhaseMeter('tokenizer', options.onProgress);
  const { merges } = await trainBpeInWorker(text, vocabularySize, {
    onProgress: (fraction) => meter.update(fraction, 1, `${vocabularySize} tokens`),
    signal: options.signal,
  });
  const file: MergeFile = { version: TRAINING_VERSION, merges: [...merges], sha256: mergesChecksum(merges) };
  await writeAtomic(path, JSON.stringify(file));
  return { tokenizer: bpeTokenizer(merges, vocabularySize), id, merges };
}
