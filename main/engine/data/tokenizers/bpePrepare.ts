/** Trains the byte-pair merges of a text in a thread of their own, or takes them from the cache. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { formatBytes } from '../../../../preload/shared/format.ts';
import { throwIfAborted } from '../errors.ts';
import { writeAtomic } from '../../../files/atomic.ts';
import { readWhole, sha256 } from '../../../files/whole.ts';
import { Stream } from '../../random/stream.ts';
import type { Corpus } from '../corpus.ts';
import { corpusHash, documentCount, selectDocuments } from '../corpus.ts';
import { letGo, totalOf } from '../documentSizes.ts';
import type { Sizes } from '../documentSizes.ts';
import { PhaseMeter } from '../progress.ts';
import { mergesInWorker, trainBpeInWorker } from './bpeBackground.ts';
import { PieceCounts } from './bpeTrain.ts';
import type { TokenizerOptions, TrainingDocuments } from './tokenizer.ts';

/** Part of every cache key: raise it when pre-tokenization, training or the file format changes. */
const TRAINING_VERSION = 'bpe-1';

export interface BpeTraining {
  readonly vocabularySize: number;
  /** Bytes that are learned from; 0 for all. */
  readonly sample: number;
  /** Chooses the sample. */
  readonly seed: number;
}

/** Documents drawn at random, up to `sample` bytes, in their order; null where all are taken. */
function drawnDocuments(sizes: Sizes, sample: number, seed: number) {
  const { length } = sizes;
  if (sample <= 0 || sample >= totalOf(sizes)) return null;
  const order = new Stream(seed, 'data/tokenizer_sample').shuffle(Int32Array.from({ length }, (_, i) => i));
  let bytes = 0;
  let count = 0;
  while (count < order.length && bytes < sample) bytes += sizes.at(order[count++]);
  const documents = order.slice(0, count).sort();
  letGo(order);
  return { documents, bytes };
}

/** The part of the training split that the tokenizer learns from. */
function trainingSample(train: Corpus, sample: number, seed: number): Corpus {
  const at = (d: number) => train.offsets[d + 1] - train.offsets[d];
  const drawn = drawnDocuments({ length: documentCount(train), at }, sample, seed);
  if (drawn === null) return train;
  const chosen = selectDocuments(train, drawn.documents);
  if (drawn.bytes <= sample || drawn.documents.length > 1) return chosen;
  return { bytes: chosen.bytes.subarray(0, sample), offsets: Float64Array.of(0, sample), bits: null };
}

/** The same merges as {@link prepareMerges} makes of the same documents, which are counted as they are read. */
export async function learnMerges(
  train: TrainingDocuments,
  { vocabularySize, sample, seed }: BpeTraining,
  { onProgress, signal }: TokenizerOptions,
): Promise<{ readonly id: string; readonly merges: Int32Array }> {
  const { sizes } = train;
  const drawn = drawnDocuments(sizes, sample, seed);
  const chosen = drawn === null ? null : new Uint8Array(sizes.length);
  for (const d of drawn?.documents ?? []) chosen![d] = 1;
  const total = drawn?.bytes ?? totalOf(sizes);
  const cut = drawn?.documents.length === 1 ? Math.min(sample, total) : Infinity;
  const counted = new PieceCounts();
  const text = createHash('sha256');
  const meter = new PhaseMeter('tokenizer', onProgress);
  let done = 0;
  await train.read((part, document) => {
    throwIfAborted(signal);
    if (chosen !== null && chosen[document] === 0) return;
    const end = Math.min(part.length, cut - done);
    if (end <= 0) return;
    counted.add(part, 0, end);
    text.update(part.subarray(0, end));
    done += end;
    meter.update(done, 2 * total, `${formatBytes(total)} of text`);
  });
  const id = sha256(`${TRAINING_VERSION}:read:${vocabularySize}:${text.digest('hex')}`).slice(0, 32);
  const { merges } = await mergesInWorker(counted.take(), vocabularySize, {
    onProgress: (fraction) => meter.update((1 + fraction) * total, 2 * total, `${vocabularySize} tokens`),
    signal,
  });
  return { id, merges };
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
