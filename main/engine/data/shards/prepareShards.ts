/** Prepares a dataset in shards: of a text that may be larger than a memory, by threads, going on where it was interrupted. */
import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import type { ReadingReport } from '../../../../preload/contract/reading.ts';
import type { DataStats } from '../../../../preload/contract/shapes.ts';
import { formatBytes } from '../../../../preload/shared/format.ts';
import { describeWriteError, writeAtomic } from '../../../files/atomic.ts';
import { holdFolder } from '../../../files/folderLock.ts';
import { readWhole, sha256 } from '../../../files/whole.ts';
import type { Kinds } from '../../kind.ts';
import type { CorpusSource } from '../corpora/corpusKind.ts';
import { tokenArrayType } from '../tokenArray.ts';
import { DataError, throwIfAborted } from '../errors.ts';
import { checkShare, heldOut } from '../holdout.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { bytesPerTokenOf, tokenizerFamily, tokenizerOf } from '../tokenizers/index.ts';
import type { PreparedTokenizer } from '../tokenizers/tokenizer.ts';
import { CutSink } from './cut.ts';
import { DocumentSizes, totalOf } from '../documentSizes.ts';
import { documentsOf, finishedShards, readCounts, readList, SIDES, textOf } from './files.ts';
import type { FinishedShards, ShardNote } from './files.ts';
import { encoderHere, encoderThreads } from './pool.ts';
import type { Encoder } from './pool.ts';
import { learnFrom } from './learn.ts';
import { notePartial, partialOf } from './partial.ts';
import { Copies } from './copies.ts';
import { readBlocks, streamOf } from './readBlocks.ts';
import type { Scan, ScanNote, TextPass } from './readBlocks.ts';
import { ScanSink } from './scan.ts';
import { ShardWriter } from './shardWriter.ts';

export interface ShardRequest {
  readonly cacheDir: string;
  readonly config: Config;
  readonly kinds?: Kinds | undefined;
  /** What the settings and the files as they are lead to. */
  readonly request: string;
  /** The text, and its most bytes; 0: all. */
  readonly source: CorpusSource;
  readonly limit: number;
  /** A text of its own for validation; else so much is held out. */
  readonly validationSource: CorpusSource | null;
  readonly fraction: number;
  readonly holdout: 'random' | 'last';
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Makes a dataset of the folder. @returns its name by content */
  readonly publish: (folder: string, finished: FinishedShards) => Promise<string>;
  /** One that this text shares with others; else its own is made. */
  readonly tokenizer?: PreparedTokenizer | undefined;
  /** What another process has made of it while this one waited for it. */
  readonly known?: () => Promise<ShardResult | null>;
  /** For tests; 0 threads: all in this one. */
  readonly shardIds?: number | undefined;
  readonly threads?: number | undefined;
}

export interface ShardResult {
  readonly contentHash: string;
  readonly corpus: ReadingReport;
  readonly validation: ReadingReport | null;
}

/** @throws DataError, plain errors in words for disk and network, the reason of the signal */
export async function prepareShards(options: ShardRequest): Promise<ShardResult> {
  const { cacheDir, request, signal } = options;
  const { folder, lockName } = partialOf(cacheDir, request.slice(0, 32));
  const held = await holdFolder(dirname(folder), { name: lockName, patience: Infinity, signal }).catch(
    (error: unknown) => {
      throw describeWriteError(error, folder);
    },
  );
  // With no end to the patience it is held.
  const lock = held!;
  try {
    // Another process may have made it meanwhile.
    const known = await options.known?.();
    if (known !== undefined && known !== null) return known;
    await mkdir(folder, { recursive: true });
    await notePartial(folder, options.config, options.kinds);
    const result = await prepareIn(folder, options);
    lock.remove();
    return result;
  } finally {
    lock.release();
  }
}

async function prepareIn(folder: string, options: ShardRequest): Promise<ShardResult> {
  const { config, kinds, source, validationSource, signal, onProgress, cacheDir } = options;
  const passes = await passesOf(folder, options);
  const { kind, settings } = tokenizerOf(config, kinds);
  const prepared =
    options.tokenizer ?? (await learnFrom(folder, kind, settings, passes[0], { cacheDir, onProgress, signal }));
  throwIfAborted(signal);
  const notes = await encodeAll(folder, options, passes, prepared);
  if (!SIDES.every((side) => notes.some((note) => (note[side]?.tokens ?? 0) > 0)))
    throw new DataError(
      'data.validation',
      options.fraction,
      'one side of the split would be empty.',
      'a longer corpus',
    );
  const { tokenizer } = prepared;
  const stats = await statsOf(folder, notes, tokenizer.vocabularySize);
  const contentHash = await options.publish(folder, { shards: notes, stats, ...prepared });
  const [corpus, validation] = [source, validationSource].map((each) =>
    each === null ? null : passes.find((pass) => pass.source === each)!.report,
  );
  return { contentHash, corpus: corpus!, validation: validation! };
}

/** The readings that make the dataset. */
async function passesOf(folder: string, options: ShardRequest): Promise<[TextPass, ...TextPass[]]> {
  const { source, validationSource, limit, fraction, holdout, config } = options;
  const scan = await scanned(folder, 'corpus', source, limit, options);
  if (validationSource !== null) {
    const own = await scanned(folder, 'validation', validationSource, 0, options);
    return [
      { ...scan, source, held: 0, isCut: false },
      { ...own, source: validationSource, held: 1, isCut: false },
    ];
  }
  checkShare(fraction);
  if (scan.sizes.length === 1) {
    const cut = new CutSink(scan.sizes.at(0), fraction);
    await streamOf(source)(cut, { onProgress: undefined });
    const sizes = DocumentSizes.of(cut.place, scan.sizes.at(0) - cut.place);
    return [{ ...scan, sizes, source, held: Uint8Array.of(0, 1), isCut: true }];
  }
  const held = heldOut(scan.sizes, fraction, holdout, Number(config['data.corpus_seed'] ?? 0));
  return [{ ...scan, source, held, isCut: false }];
}

/** The first reading, from its note where it was done. */
async function scanned(
  folder: string,
  name: string,
  source: CorpusSource,
  limit: number,
  { onProgress }: ShardRequest,
): Promise<Scan> {
  const [notePath, sizesPath] = [join(folder, `scan-${name}.json`), join(folder, `scan-${name}.lengths`)];
  const [note, sizes] = await Promise.all([readWhole(notePath), readWhole(sizesPath)]);
  if (note !== null && sizes !== null) {
    const { sha256: sum, long, ...known } = JSON.parse(Buffer.from(note).toString('utf8')) as ScanNote;
    if (sha256(sizes) === sum) return { ...known, sizes: DocumentSizes.from(sizes, long) };
  }
  const sink = new ScanSink(limit);
  const files: number[] = [];
  const onFile = (index: number): void => void (files[index] = sink.documents);
  const report = await streamOf(source)(sink, { onFile, onProgress });
  const { bytes, long } = sink.sizes;
  await writeAtomic(sizesPath, bytes);
  await writeAtomic(notePath, JSON.stringify({ files, report, long, sha256: sha256(bytes) } satisfies ScanNote));
  return { sizes: sink.sizes, files, report };
}

/** Encodes what is not encoded yet. @returns all shards */
async function encodeAll(
  folder: string,
  options: ShardRequest,
  passes: readonly TextPass[],
  { tokenizer, merges }: PreparedTokenizer,
): Promise<readonly ShardNote[]> {
  const { signal, onProgress, config, kinds } = options;
  const { vocabularySize } = tokenizer;
  const Ids = tokenArrayType(vocabularySize);
  const finished = await finishedShards(folder, signal);
  const writer = new ShardWriter({ folder, Ids, vocabularySize, finished, shardIds: options.shardIds });
  const total = passes.reduce((all, { sizes }) => all + totalOf(sizes), 0);
  let done = finished.reduce((sum, note) => sum + textOf(note), 0);
  await checkRoom(folder, ((total - done) / bytesPerTokenOf(config, kinds)) * Ids.BYTES_PER_ELEMENT);
  const meter = new PhaseMeter('encode', onProgress);
  const show = (): void => meter.update(done, total, undefined, true);
  show();
  const chosen = tokenizerOf(config, kinds).kind;
  const builtIn = tokenizerFamily.kinds.includes(chosen);
  await using encoder: Encoder =
    builtIn && options.threads !== 0 ? encoderThreads(tokenizer, merges, options.threads) : encoderHere(tokenizer);
  let skip = finished.reduce((sum, note) => sum + documentsOf(note), 0);
  let written: Promise<void> = Promise.resolve();
  try {
    for (const pass of passes) {
      const { length } = pass.sizes;
      if (skip < length)
        await readBlocks(
          pass,
          skip,
          { parts: builtIn, lanes: encoder.lanes, spare: () => encoder.spareText() },
          (block) => {
            const encoded = encoder.encode(block);
            encoded.catch(() => undefined);
            written = written.then(async () => {
              throwIfAborted(signal);
              const tokens = await encoded;
              await writer.add(tokens);
              encoder.recycle(tokens);
              done += tokens.parts.bytes.reduce((sum, bytes) => sum + bytes, 0);
              show();
            });
            return written;
          },
        );
      skip = Math.max(0, skip - length);
    }
    await writer.finish();
    return writer.notes;
  } finally {
    writer.abandon();
  }
}

/** @throws Error in words where the disk has far too little room */
async function checkRoom(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  // How many tokens a text makes is known about only.
  if (free > 0.8 * needed) return;
  throw new Error(
    `The disk has too little room: the tokens take about ${formatBytes(needed)}, ${formatBytes(free)} are free in ${dirname(folder)}. ` +
      'Free some space, choose another data folder or set data.size.',
  );
}

async function statsOf(folder: string, notes: readonly ShardNote[], vocabularySize: number): Promise<DataStats> {
  const counts = new Float64Array(2 * vocabularySize);
  const held = new Copies();
  const sums = { train: { tokens: 0, documents: 0, bytes: 0 }, validation: { tokens: 0, documents: 0, bytes: 0 } };
  let longest = 0;
  for (const [shard, note] of notes.entries()) {
    (await readCounts(folder, shard, note))!.forEach((count, i) => (counts[i] += count));
    for (const side of SIDES) {
      const own = note[side];
      if (own === undefined) continue;
      sums[side].tokens += own.tokens;
      sums[side].documents += own.documents;
      sums[side].bytes += own.textBytes;
      const list = await readList(folder, side, shard);
      for (let d = 0; d < list.length; d += 2) {
        longest = Math.max(longest, list[d]);
        if (side === 'validation' && list[d + 1] >= 0) held.push(list[d + 1]);
      }
    }
  }
  for (const [shard, { train }] of notes.entries()) {
    if (train === undefined || held.length === 0) continue;
    const list = await readList(folder, 'train', shard);
    for (let d = 1; d < list.length; d += 2) held.see(list[d]);
  }
  let [used, unseen] = [0, 0];
  for (let id = 0; id < vocabularySize; id++)
    if (counts[id] > 0) used++;
    else unseen += counts[vocabularySize + id];
  const { train, validation } = sums;
  return {
    trainBytes: train.bytes,
    validationBytes: validation.bytes,
    trainTokens: train.tokens,
    validationTokens: validation.tokens,
    trainDocuments: train.documents,
    validationDocuments: validation.documents,
    bytesPerToken: train.bytes / train.tokens,
    unseenTokenFraction: unseen / validation.tokens,
    duplicateFraction: held.seen / validation.documents,
    usedVocabulary: used,
    longestDocument: longest,
  };
}
