/** From a configuration to a dataset ready for training, through the caches. */
import { join } from 'node:path';
import type { Config } from '../../../preload/contract/settings.ts';
import { settingNames } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { corpusHash, documentCount } from './corpus.ts';
import { corpusSource } from './corpora/index.ts';
import { isMixed, mixOf, ofPart, partConfig } from './corpora/mix.ts';
import { sizeIn } from './corpora/corpusKind.ts';
import type { CorpusSource } from './corpora/corpusKind.ts';
import { DATASET_VERSION, loadDataset, publishShards, saveDataset } from './datasetCache.ts';
import type { FreshDataset, StoredDataset } from './datasetCache.ts';
import type { Dataset } from './dataset.ts';
import { computeStats, encodeCorpus } from './encode.ts';
import { DataError, TextTooLong, throwIfAborted } from './errors.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { removeStale } from '../../files/atomic.ts';
import { sha256 } from '../../files/whole.ts';
import { holdOut } from './holdout.ts';
import type { Split } from './holdout.ts';
import type { PrepareOptions } from './prepareOptions.ts';
import { PhaseMeter } from './progress.ts';
import type { ShardResult } from './shards/prepareShards.ts';
import { readRequest, writeRequest } from './requests.ts';
import type { RequestNote } from './requests.ts';
import { tokenizerOf, vocabularyOf } from './tokenizers/index.ts';

/** Settings that decide the tokens, beside the text itself and those of the tokenizer. */
const SPLIT_SETTINGS = ['data.corpus_seed', 'data.validation', 'data.holdout'] as const;

const pick = (config: Config, names: readonly string[]) => names.map((name) => config[name] ?? null);

const hash = (...parts: unknown[]) => sha256(JSON.stringify(parts));

/** Names of the settings that decide the tokens of a text. */
function tokenizerSettings(config: Config, kinds?: Kinds): string[] {
  return ['tokenizer.kind', ...settingNames(tokenizerOf(config, kinds).kind)];
}

interface Checked {
  readonly holdout: 'random' | 'last';
  readonly fraction: number;
  readonly source: CorpusSource;
  readonly validationSource: CorpusSource | null;
}

async function check(config: Config, options: PrepareOptions): Promise<Checked> {
  const { kinds } = options;
  vocabularyOf(config, kinds);
  const holdout = String(config['data.holdout'] ?? 'random');
  if (holdout !== 'random' && holdout !== 'last') {
    const nearest = nearestName(holdout, ['random', 'last']);
    throw new DataError('data.holdout', holdout, 'no such way to hold out.', 'random, last', nearest);
  }
  const ownValidation = String(config['data.validation_path'] ?? '') !== '';
  const fraction = Number(config['data.validation'] ?? 0.05);
  if (!ownValidation && !(fraction > 0 && fraction <= 0.5)) {
    const what = 'there would be no validation text, or too little to train on.';
    throw new DataError('data.validation', fraction, what, 'above 0, at most 0.5 (or set data.validation_path)', 0.05);
  }
  const source = await corpusSource(config, 'data.corpus', options, kinds);
  const validationSource = ownValidation ? await corpusSource(config, 'data.validation_path', options, kinds) : null;
  return { holdout, fraction, source, validationSource };
}

/**
 * Checks the data and tokenizer settings as far as that is quick: names, ranges, and that files exist. Reads no text, needs no
 * network, writes nothing. Throws `DataError`.
 */
export async function checkDataSettings(config: Config, kinds?: Kinds): Promise<void> {
  await checkTexts(config, kinds);
}

/** The configuration, or that of each text of a mixture, and what was found. @throws DataError */
async function checkTexts(config: Config, kinds?: Kinds): Promise<readonly [Config, Checked][]> {
  const options = { cacheDir: '', kinds };
  if (!isMixed(config)) return [[config, await check(config, options)]];
  const found: [Config, Checked][] = [];
  for (const part of mixOf(config)) {
    const own = partConfig(config, part);
    found.push([own, await ofPart(config, () => check(own, options))]);
  }
  return found;
}

/** @param tokenizer names one that is not made for this text alone */
const requestKey = (config: Config, { source, validationSource }: Checked, kinds?: Kinds, tokenizer?: string): string =>
  hash(
    DATASET_VERSION,
    source.fingerprint,
    validationSource?.fingerprint ?? pick(config, SPLIT_SETTINGS),
    pick(config, tokenizerSettings(config, kinds)),
    ...(tokenizer === undefined ? [] : [tokenizer]),
  );

/**
 * Names what a configuration and the files as they are now lead to: another name where a file was changed. Looks at files, reads none.
 * @throws DataError
 */
export async function datasetRequest(config: Config, kinds?: Kinds): Promise<string> {
  const texts = await checkTexts(config, kinds);
  const keys = texts.map(([own, checked]) => requestKey(own, checked, kinds));
  return isMixed(config) ? hash('mix', config['data.mix'], keys) : keys[0]!;
}

/** {@link prepareText}, or the texts of a mixture. */
export async function prepareDataset(config: Config, options: PrepareOptions): Promise<Dataset> {
  if (!isMixed(config)) return await prepareText(config, options);
  const { prepareMix } = await import('./prepareMix.ts');
  return await prepareMix(config, options, prepareText);
}

/**
 * Reads, splits, tokenizes: the dataset of a configuration. Cached by content in `cacheDir`; a second call only reads the
 * cache (and needs no network), and two processes may prepare the same dataset at once.
 *
 * Throws `DataError` for settings that cannot work, the signal's reason when cancelled, and plain errors in words when
 * disk or network fail. Nothing half-done is ever taken for a dataset.
 */
async function prepareText(config: Config, options: PrepareOptions): Promise<Dataset> {
  const { cacheDir, signal, kinds } = options;
  throwIfAborted(signal);
  const checked = await check(config, options);
  const { holdout, fraction, source, validationSource } = checked;
  const request = requestKey(config, checked, kinds, options.tokenizer?.id);
  /** The entropy is that of the request: the same text from a file has none, whichever was prepared first. */
  const complete = (stored: StoredDataset, { reading, bits }: RequestNote): Dataset => {
    const { prefixBits } = validationSource ?? source;
    return { ...stored, reading, information: bits === null || prefixBits === undefined ? null : { bits, prefixBits } };
  };
  const corpus = String(config['data.corpus']);
  const note = await readRequest(cacheDir, request);
  if (note !== null) {
    const cached = await loadDataset(cacheDir, note.contentHash, kinds);
    // An earlier version did not note what it was.
    if (cached !== null && note.corpus === undefined)
      await writeRequest(cacheDir, request, { ...note, corpus }).catch(() => undefined);
    if (cached !== null) return complete(cached, note);
  }

  await removeStale(join(cacheDir, 'datasets'));
  const inShards = async (): Promise<Dataset> => {
    const limit = sizeIn(config, 'data.size');
    const shared = {
      cacheDir,
      config,
      kinds,
      signal,
      onProgress: options.onProgress,
      tokenizer: options.tokenizer,
      ...options.shards,
    };
    const texts = { source, limit, validationSource, fraction, holdout, request };
    const known = async (): Promise<ShardResult | null> => {
      const made = await readRequest(cacheDir, request);
      const whole = made !== null && (await loadDataset(cacheDir, made.contentHash, kinds)) !== null;
      return !whole ? null : { contentHash: made.contentHash, ...made.reading, corpus: made.reading.corpus! };
    };
    const { prepareShards } = await import('./shards/prepareShards.ts');
    const { contentHash, ...reading } = await prepareShards({
      ...shared,
      ...texts,
      known,
      publish: (folder, finished) => publishShards(cacheDir, folder, finished),
    });
    const made: RequestNote = { contentHash, corpus, reading, bits: null };
    await writeRequest(cacheDir, request, made);
    const stored = await loadDataset(cacheDir, contentHash, kinds);
    if (stored === null) throw new Error('the prepared dataset was damaged as soon as it was written');
    return complete(stored, made);
  };
  if (await isLarge([source, validationSource], config, options.shards?.from)) return await inShards();
  let read: Awaited<ReturnType<CorpusSource['load']>>;
  let own: typeof read | null;
  try {
    read = await source.load();
    own = validationSource === null ? null : await validationSource.load();
  } catch (error) {
    if (!(error instanceof TextTooLong) || !areStreamed([source, validationSource])) throw error;
    return await inShards();
  }
  throwIfAborted(signal);
  const seed = Number(config['data.corpus_seed'] ?? 0);
  const split =
    own === null ? holdOut(read.corpus, fraction, holdout, seed) : { train: read.corpus, validation: own.corpus };
  if (documentCount(split.train) === 0 || documentCount(split.validation) === 0)
    throw new DataError('data.validation', fraction, 'one side of the split would be empty.', 'a longer corpus');
  const dataset = await encodeSplit(config, split, options);
  const reading = { corpus: read.report, validation: own?.report ?? null };
  const fresh: RequestNote = { contentHash: dataset.contentHash, corpus, reading, bits: split.validation.bits };
  await writeRequest(cacheDir, request, fresh);
  return complete(dataset, fresh);
}

/** Bytes of files from which on a text is prepared document by document. */
const LARGE = 2 ** 29;

const areStreamed = (sources: readonly (CorpusSource | null)[]): boolean =>
  sources.every((source) => source === null || source.stream !== undefined);

async function isLarge(sources: readonly (CorpusSource | null)[], config: Config, from = LARGE): Promise<boolean> {
  if (!areStreamed(sources)) return false;
  const limit = sizeIn(config, 'data.size') || Infinity;
  for (const [i, source] of sources.entries()) {
    // A text that is cut short is not even asked for its size.
    if ((i === 0 && limit < from) || source?.size === undefined) continue;
    if ((await source.size()) >= from) return true;
  }
  return false;
}

/** The tokens of a split, from the cache where the same text was encoded before, whatever it was read from. */
async function encodeSplit(config: Config, split: Split, options: PrepareOptions): Promise<StoredDataset> {
  const { cacheDir, onProgress, signal, kinds } = options;
  const { kind, settings } = tokenizerOf(config, kinds);
  const tokenizer = options.tokenizer ?? (await kind.prepare(settings, split, { cacheDir, onProgress, signal }));
  const contentHash = hash(DATASET_VERSION, corpusHash(split.train), corpusHash(split.validation), tokenizer.id);
  const cached = await loadDataset(cacheDir, contentHash, kinds);
  if (cached !== null) return cached;
  const total = split.train.bytes.length + split.validation.bytes.length;
  const meter = new PhaseMeter('encode', onProgress);
  const report = (before: number) => (bytes: number) => meter.update(before + bytes, total, undefined, true);
  const train = await encodeCorpus(split.train, tokenizer.tokenizer, report(0), signal);
  const validation = await encodeCorpus(split.validation, tokenizer.tokenizer, report(train.bytes), signal);
  meter.update(total, total, undefined, true);
  const dataset: FreshDataset = {
    train,
    validation,
    tokenizer: tokenizer.tokenizer,
    stats: computeStats(split, train, validation, tokenizer.tokenizer.vocabularySize),
    contentHash,
  };
  const saving = new PhaseMeter('save', onProgress);
  saving.update(0, 1);
  await saveDataset(cacheDir, dataset, tokenizer.merges);
  saving.update(1, 1);
  return dataset;
}
