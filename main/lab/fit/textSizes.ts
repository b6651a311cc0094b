/**
 * How much text the files hold that settings name. Planning is a calculation; files are looked at before it, by whoever may wait:
 *
 *     await measureTexts(configs, { cacheDir, kinds, signal });    // reads the texts, or finds them prepared
 *     const count = countIn(config);                               // of their tokens
 *     const size = textIn(config, 'data.corpus');                  // of their files
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { countText, DataError, filesNamed, isKeyMasked, markAt, reachNow } from '../../engine/data/index.ts';
import type { CountOptions, TextCount } from '../../engine/data/index.ts';
import { Memo } from '../../engine/memo.ts';
import { datasetKey } from '../datasets/datasets.ts';
import { compareFiles } from './sharedFiles.ts';
import type { TextFile } from './sharedFiles.ts';

export interface TextSize {
  /** Of the text, as far as sizes of files tell: packed ones count for what they usually hold. */
  readonly bytes: number;
  /** Some files are packed: how much they hold is a guess. */
  readonly packed: boolean;
  readonly files: readonly TextFile[];
}

const SETTINGS = ['data.corpus', 'data.validation_path'] as const;
type TextSetting = (typeof SETTINGS)[number];

/** Text packs to about a third; columns of a Parquet file are packed too. */
const PACKED = /\.(gz|zst|xz|bz2|zip|parquet)$/iu;
const UNPACKED = 3;

/** Milliseconds for which an answer holds: a form asks at every keystroke. */
const FRESH = 5000;
const MOST = 200;
/** Null: no such file. */
const known = new Memo<{ readonly size: Measured | null; readonly at: number }>(MOST);
/** What one may look at who asks for a page is not what others may. */
const sizeKey = (path: string): string => `${reachNow()} ${path}`;

interface Measured extends Omit<TextSize, 'bytes'> {
  /** Of text whose encoding is sure, in units of one byte. */
  readonly sure: number;
  /** Of text in the encoding of the settings. */
  readonly unmarked: number;
}

/** Marks are looked for in so many files: those of one folder are alike. */
const MOST_MARKS = 64;
const unitOf = (encoding: string): number =>
  encoding.startsWith('utf-16') ? 2 : encoding.startsWith('utf-32') ? 4 : 1;

async function measured(files: readonly TextFile[]): Promise<Measured> {
  let [sure, unmarked, packed] = [0, 0, false];
  let mark: string | null = null;
  for (const [i, { path, size }] of files.entries()) {
    if (PACKED.test(path)) {
      packed = true;
      sure += size * UNPACKED;
      continue;
    }
    if (i < MOST_MARKS) mark = await markAt(path);
    if (mark === null) unmarked += size;
    else sure += size / unitOf(mark);
  }
  return { sure, unmarked, packed, files };
}

/** Milliseconds that the reading of all texts of one question may take: somebody waits. Longer texts are then read at their beginning. */
const PATIENCE = 2000;
/** Null: it cannot be read, for the reason of `refusal` where that is known, or its settings alone say how long it is. */
interface Counted {
  readonly count: TextCount | null;
  readonly refusal?: DataError;
  readonly at: number;
}
const counts = new Memo<Counted>(MOST);
/** Of settings that lead to the same tokens. Rows of whole documents need to know where these end. */
const countKey = (config: Config): string => `${reachNow()} ${isKeyMasked(config)} ${datasetKey(config)}`;

export type MeasureOptions = Pick<CountOptions, 'cacheDir' | 'kinds' | 'signal'>;

/**
 * Looks at the files of these configurations, and counts their text. What is wrong with them is told when they are read, or by
 * {@link refuseUnreadable}.
 * @throws the reason of the signal
 */
export async function measureTexts(configs: readonly Config[], options: MeasureOptions = {}): Promise<void> {
  await measureFiles(configs);
  const until = performance.now() + PATIENCE;
  const texts = new Map(configs.map((config) => [countKey(config), config]));
  for (const [key, config] of [...texts].slice(0, MOST)) {
    if (Date.now() - (counts.peek(key)?.at ?? -Infinity) < FRESH) continue;
    const counted = await countText(config, { ...options, until }).then(
      (count) => ({ count }),
      // What is broken off has no reason of its own.
      (error: unknown) => ({ count: null, ...(error instanceof DataError && { refusal: error }) }),
    );
    options.signal?.throwIfAborted();
    counts.set(key, { ...counted, at: Date.now() });
  }
}

/** After a look ({@link measureTexts}). @throws DataError for the first text that cannot be read, as training would */
export function refuseUnreadable(configs: readonly Config[]): void {
  for (const config of configs) {
    const refusal = counts.peek(countKey(config))?.refusal;
    if (refusal !== undefined) throw refusal;
  }
}

/** Whether the last look found a text that training will refuse: what is guessed of it is worth nothing. */
export const isRefused = (config: Config): boolean => counts.peek(countKey(config))?.refusal !== undefined;

/** What the last look has counted; undefined where nobody has looked, where it cannot be read, and where the settings say how long it is. */
export const countIn = (config: Config): TextCount | undefined => counts.peek(countKey(config))?.count ?? undefined;

async function measureFiles(configs: readonly Config[]): Promise<void> {
  const named = new Set(configs.flatMap((config) => SETTINGS.map((setting) => String(config[setting] ?? ''))));
  const now = Date.now();
  for (const path of [...named].slice(0, MOST)) {
    if (path === '' || now - (known.peek(sizeKey(path))?.at ?? -Infinity) < FRESH) continue;
    const files = await filesNamed(path).catch(() => null);
    const size = files === null ? null : await measured(files);
    known.set(sizeKey(path), { size, at: now });
  }
  for (const config of configs) {
    const [train, validation] = SETTINGS.map((setting) => textIn(config, setting));
    if (train !== undefined && validation !== undefined) await compareFiles(train.files, validation.files);
  }
}

/** What the last look found; undefined for what is no file, and where nobody has looked. */
export function textIn(config: Config, setting: TextSetting): TextSize | undefined {
  const found = known.peek(sizeKey(String(config[setting] ?? '')))?.size;
  if (!found) return undefined;
  const { sure, unmarked, packed, files } = found;
  return { bytes: Math.round(sure + unmarked / unitOf(String(config['data.encoding']))), packed, files };
}
