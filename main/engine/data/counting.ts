/**
 * How many tokens a configuration will read, before it is prepared: from the cache where that very text was prepared, else by the one reader.
 * A long text is read at its beginning only.
 *
 *     const count = await countText(config, { cacheDir, kinds, signal, until });
 */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Kinds } from '../kind.ts';
import { Memo } from '../memo.ts';
import { padsRows } from './batching/modes.ts';
import type { BatchingMode } from './batching/modes.ts';
import { corpusFamily, corpusOf } from './corpora/index.ts';
import { sizeIn } from './corpora/corpusKind.ts';
import { isMixed, mixOf, ofPart, partConfig } from './corpora/mix.ts';
import type { MixPart } from './corpora/mix.ts';
import { documentCount } from './corpus.ts';
import type { Corpus } from './corpus.ts';
import { storedCounts } from './datasetCache.ts';
import { throwIfAborted } from './errors.ts';
import { holdOut } from './holdout.ts';
import { datasetRequest } from './prepare.ts';
import { readRequest } from './requests.ts';
import { bytesPerTokenOf, tokenizerOf } from './tokenizers/index.ts';
import { byte } from './tokenizers/byte.ts';

export interface TextCount {
  readonly trainTokens: number;
  readonly validationTokens: number;
  /** `counted`: the text was read whole. `beginning`: only its first {@link sampledBytes}, and the rest is taken to be like them. */
  readonly basis: 'prepared' | 'counted' | 'beginning';
  /** Tokens as they will be; false where they follow from the bytes, or from the beginning. */
  readonly exact: boolean;
  /** Bytes of the files that were looked at; 0 unless the basis is `beginning`. */
  readonly sampledBytes: number;
  /** Where the training documents begin and end, in tokens; for rows that hold whole documents, where they are known. */
  readonly offsets: Float64Array | null;
  /** The texts of a mixture. */
  readonly texts?: readonly CountedText[];
}

/** One text of a mixture. */
export interface CountedText extends MixPart, TextCount {}

export interface CountOptions {
  /** Prepared texts; without it none is looked for. */
  readonly cacheDir?: string | undefined;
  readonly kinds?: Kinds | undefined;
  readonly signal?: AbortSignal | undefined;
  /** When (`performance.now()`) the reading of a text is broken off: what was read by then stands for all of it. */
  readonly until?: number;
  /** Bytes of files that are read whole; of larger texts the beginning. */
  readonly whole?: number;
}

const MiB = 2 ** 20;
const WHOLE = 64 * MiB;
/** Bytes of files that stand for a longer text. */
const BEGINNING = 8 * MiB;
/** Bytes of text that are held: packed files may hold far more than their size. */
const MOST_TEXT = 128 * MiB;
const REMEMBERED = 200;

/** Counts by what the settings and the files as they are lead to. */
const known = new Memo<TextCount>(REMEMBERED);

/**
 * Null for a text that is not prepared and is no file: its length is what the settings say.
 * @throws DataError for what cannot be read, the reason of the signal
 */
export async function countText(config: Config, options: CountOptions = {}): Promise<TextCount | null> {
  const { cacheDir, kinds, signal } = options;
  if (isMixed(config)) return await countMix(config, options);
  const request = await datasetRequest(config, kinds);
  const pads = padsRows(config['data.batching'] as BatchingMode);
  const note = cacheDir === undefined ? null : await readRequest(cacheDir, request);
  if (note !== null) {
    const stored = await storedCounts(cacheDir!, note.contentHash, pads);
    if (stored !== null) return { ...stored, basis: 'prepared', exact: true, sampledBytes: 0 };
  }
  if (corpusOf(config, kinds).kind !== corpusFamily.otherwise) {
    // Its length is not counted, but whether it is a text shows only here.
    if (hasOwnValidation(config)) await readText(config, 'data.validation_path', options);
    return null;
  }
  const key = `${request} ${pads} ${options.whole}`;
  const before = known.peek(key);
  if (before !== undefined) return before;
  const { count, hurried } = await countFiles(config, options, pads);
  throwIfAborted(signal);
  // Whoever has more time shall have the better answer.
  if (!hurried) known.set(key, count);
  return count;
}

/** The texts of a mixture one by one; null where one of them has no length that is known. */
async function countMix(config: Config, options: CountOptions): Promise<TextCount | null> {
  const texts: CountedText[] = [];
  for (const part of mixOf(config)) {
    const own = partConfig(config, part);
    const count = (await ofPart(config, () => countText(own, options))) ?? bySettings(own, options.kinds);
    if (count === null) return null;
    texts.push({ ...part, ...count });
  }
  const total = (of: (text: CountedText) => number): number => texts.reduce((sum, text) => sum + of(text), 0);
  const worst = (['beginning', 'counted', 'prepared'] as const).find((each) =>
    texts.some(({ basis }) => basis === each),
  );
  return {
    trainTokens: total(({ trainTokens }) => trainTokens),
    validationTokens: total(({ validationTokens }) => validationTokens),
    basis: worst!,
    exact: texts.every(({ exact }) => exact) && !padsRows(config['data.batching'] as BatchingMode),
    sampledBytes: total(({ sampledBytes }) => sampledBytes),
    offsets: null,
    texts,
  };
}

/** As long as its settings say. */
function bySettings(config: Config, kinds?: Kinds): TextCount | null {
  const { kind, settings } = corpusOf(config, kinds);
  const bytes = kind.bytes(settings);
  if (bytes === undefined) return null;
  const tokens = bytes / bytesPerTokenOf(config, kinds);
  const held = Number(config['data.validation'] ?? 0.05);
  return {
    trainTokens: Math.round(tokens * (1 - held)),
    validationTokens: Math.round(tokens * held),
    basis: 'counted',
    exact: false,
    sampledBytes: 0,
    offsets: null,
  };
}

const hasOwnValidation = (config: Config): boolean => String(config['data.validation_path'] ?? '') !== '';

/** One text, or its beginning. */
interface Text {
  /** Null where only the beginning was read. */
  readonly corpus: Corpus | null;
  readonly bytes: number;
  readonly documents: number;
  readonly sampledBytes: number;
  /** Time ran out before as much was read as was wanted. */
  readonly hurried: boolean;
}

async function countFiles(
  config: Config,
  options: CountOptions,
  pads: boolean,
): Promise<{ readonly count: TextCount; readonly hurried: boolean }> {
  const own = hasOwnValidation(config);
  const text = await readText(config, 'data.corpus', options);
  const validation = own ? await readText(config, 'data.validation_path', options) : null;
  const perToken = bytesPerTokenOf(config, options.kinds);
  const isByte = tokenizerOf(config, options.kinds).kind === byte;
  // Every document ends with a token of its own.
  const tokens = (bytes: number, documents: number): number => Math.round(bytes / perToken) + documents;
  const sampledBytes = text.sampledBytes + (validation?.sampledBytes ?? 0);
  const sides = own ? { train: text, validation: validation! } : heldOut(config, text);
  const { corpus } = sides.train;
  const count: TextCount = {
    trainTokens: tokens(sides.train.bytes, sides.train.documents),
    validationTokens: tokens(sides.validation.bytes, sides.validation.documents),
    basis: sampledBytes > 0 ? 'beginning' : 'counted',
    exact: isByte && sampledBytes === 0,
    sampledBytes,
    offsets: pads && isByte && corpus !== null ? corpus.offsets.map((at, d) => at + d) : null,
  };
  return { count, hurried: text.hurried || validation?.hurried === true };
}

function heldOut(config: Config, text: Text): { readonly train: Text; readonly validation: Text } {
  const share = Number(config['data.validation'] ?? 0.05);
  if (text.corpus === null) {
    const part = (of: number): Text => ({
      ...text,
      bytes: text.bytes * of,
      documents: Math.max(1, Math.round(text.documents * of)),
    });
    return { train: part(1 - share), validation: part(share) };
  }
  const how = config['data.holdout'] === 'last' ? 'last' : 'random';
  const split = holdOut(text.corpus, share, how, Number(config['data.corpus_seed'] ?? 0));
  return { train: wholeText(split.train), validation: wholeText(split.validation) };
}

const wholeText = (corpus: Corpus): Text => ({
  corpus,
  bytes: corpus.bytes.length,
  documents: documentCount(corpus),
  sampledBytes: 0,
  hurried: false,
});

/** The text that was read last: settings that only split it otherwise, or make other tokens of it, need no second reading. */
let last: { readonly key: string; readonly text: WeakRef<Text> } | undefined;

async function readText(
  config: Config,
  setting: 'data.corpus' | 'data.validation_path',
  { signal, until = Infinity, whole = WHOLE }: CountOptions,
): Promise<Text> {
  // What reads files is loaded when some are opened.
  const [{ findFiles }, { readFiles }, { readingSettings }] = await Promise.all([
    import('./reading/listing.ts'),
    import('./reading/reader.ts'),
    import('./reading/settings.ts'),
  ]);
  const { files, notes } = (await findFiles(String(config[setting]), setting))!;
  const settings = readingSettings(config);
  const wanted = (setting === 'data.corpus' ? sizeIn(config, 'data.size') : 0) || Infinity;
  const limit = Math.min(wanted, MOST_TEXT);
  const key = JSON.stringify([files.map(({ path, version }) => [path, version]), settings, limit, whole]);
  const before = last?.key === key ? last.text.deref() : undefined;
  if (before !== undefined) return before;
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  const beginning = new Beginning(totalBytes > whole ? Math.min(BEGINNING, whole) : Infinity, until);
  const stop = signal === undefined ? beginning.signal : AbortSignal.any([signal, beginning.signal]);
  const around = { setting, totalBytes, notes, signal: stop, onSource: beginning.at };
  let text: Text | undefined;
  try {
    const { corpus, report } = await readFiles(files, { ...settings, ...around, limit });
    if (report.whole || limit === wanted) text = wholeText(corpus);
  } catch (error) {
    throwIfAborted(signal);
    if (!beginning.signal.aborted || !beginning.hasText) throw error;
  }
  text ??= beginning.stretched(totalBytes, wanted);
  if (!text.hurried) last = { key, text: new WeakRef(text) };
  return text;
}

/** Follows a reading, and ends it when enough was read to tell how much text there is for each byte of the files. */
class Beginning {
  readonly #enough: number;
  readonly #until: number;
  readonly #controller = new AbortController();
  #read = 0;
  #hurried = false;
  #seen = { source: 0, bytes: 0, documents: 0 };

  constructor(enough: number, until: number) {
    this.#enough = enough;
    this.#until = until;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** False where nothing that was read so far is text: nobody can say how much there is. */
  get hasText(): boolean {
    return this.#seen.bytes > 0;
  }

  /** `through`: the text of these bytes has been taken; else only that of the bytes before them. */
  readonly at = (read: number, bytes: number, documents: number, through: boolean): void => {
    if (this.signal.aborted || read <= this.#read) return;
    const source = through ? read : this.#read;
    this.#read = read;
    if (source === 0) return;
    this.#seen = { source, bytes, documents };
    const late = performance.now() > this.#until;
    this.#hurried = late && source < this.#enough;
    if (late || source >= this.#enough) this.#controller.abort();
  };

  /** The text of all files, if it goes on as it began. */
  stretched(totalBytes: number, wanted: number): Text {
    const { source, bytes, documents } = this.#seen;
    // A reading that its text has ended before its first bytes were through: there is as much, at least.
    const all = source === 0 ? MOST_TEXT : (bytes * totalBytes) / source;
    const length = Math.min(wanted, all);
    const each = bytes === 0 ? 1 : documents / bytes;
    return {
      corpus: null,
      bytes: length,
      documents: Math.max(1, Math.round(length * each)),
      sampledBytes: source || this.#read,
      hurried: this.#hurried,
    };
  }
}
