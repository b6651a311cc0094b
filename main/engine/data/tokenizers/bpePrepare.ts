/** Trains the byte-pair merges of a text in a thread of their own, or takes them from the cache. */
import { join } from 'node:path';
import { writeAtomic } from '../../../files/atomic.ts';
import { readWhole, sha256 } from '../../../files/whole.ts';
import { Stream } from '../../random/stream.ts';
import type { Corpus } from '../corpus.ts';
import { corpusHash, documentCount, selectDocuments } from '../corpus.ts';
import { PhaseMeter } from '../progress.ts';
import { trainBpeInWorker } from './bpeBackground.ts';
import type { TokenizerOptions } from './tokenizer.ts';

/** Part of every cache key: raise it when pre-tokenization, training or the file format changes. */
const TRAINING_VERSION = 'bpe-1';

export interface BpeTraining {
  readonly vocabularySize: number;
  /** Bytes that are learned from; 0 for all. */
  readonly sample: number;
  /** Chooses the sample. */
  readonly seed: number;
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

async function readMerges(path: string, check: (merges: Int32Array) => unknown): Promise<Int32Array | null> {
  const bytes = await readWhole(path);
  if (bytes === null) return null;
  try {
    const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as MergeFile;
    if (file.version !== TRAINING_VERSION || file.sha256 !== mergesChecksum(file.merges)) return null;
    const merges = Int32Array.from(file.merges);
    check(merges);
    return merges;
  } catch {
    // Damaged: trained again and replaced.
    return null;
  }
}

/** The merges for a text, and a name by content. `check` throws for merges that are damaged: then they are trained again. */
export async function prepareMerges(
  train: Corpus,
  { vocabularySize, sample, seed }: BpeTraining,
  check: (merges: Int32Array) => unknown,
  options: TokenizerOptions,
): Promise<{ readonly id: string; readonly merges: Int32Array }> {
  const text = trainingSample(train, sample, seed);
  const id = sha256(`${TRAINING_VERSION}:${vocabularySize}:${corpusHash(text)}`).slice(0, 32);
  const path = join(options.cacheDir, 'tokenizers', `${id}.json`);
  const cached = await readMerges(path, check);
  if (cached !== null) return { id, merges: cached };
  const meter = new PhaseMeter('tokenizer', options.onProgress);
  const { merges } = await trainBpeInWorker(text, vocabularySize, {
    onProgress: (fraction) => meter.update(fraction, 1, `${vocabularySize} tokens`),
    signal: options.signal,
  });
  const file: MergeFile = { version: TRAINING_VERSION, merges: [...merges], sha256: mergesChecksum(merges) };
  await writeAtomic(path, JSON.stringify(file));
  return { id, merges };
}
