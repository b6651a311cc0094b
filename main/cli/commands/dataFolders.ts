/** What `sweeplab data` says of the data folder: what is prepared, what is unfinished, and deleting it. */
import type { PreparedData, TokenizerInfo, UnfinishedData } from '../../../preload/contract/shapes.ts';
import { formatAgo } from '../../../preload/shared/format.ts';
import {
  assertDownloadsUnread,
  assertUnread,
  atWork,
  listPrepared,
  removeDownloaded,
  removePrepared,
  removeUnfinished,
} from '../../lab/datasets/prepared.ts';
import type { PreparedLists } from '../../lab/datasets/prepared.ts';
import { StoreError } from '../../store/index.ts';
import { confirmed } from '../consent.ts';
import { readableLab, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatBytes, formatCount, formatInteger, plural } from '../format.ts';
import type { Output } from '../output.ts';
import { renderTable } from '../table.ts';

const SHORT = 12;
const right = 'right' as const;

const tokenizerWords = (tokenizer: TokenizerInfo | null): string =>
  tokenizer === null ? '?' : `${tokenizer.kind}, ${formatInteger(tokenizer.vocabularySize)}`;

/** Undefined where there is nothing. */
export function preparedTable(output: Output, prepared: PreparedLists['prepared']): string | undefined {
  if (prepared.length === 0) return undefined;
  const columns = [
    { title: 'prepared' },
    { title: 'text', free: true },
    { title: 'tokenizer' },
    { title: 'training tokens', align: right },
    { title: 'held out', align: right },
    { title: 'on disk', align: right },
  ];
  const rows = prepared.map(({ contentHash, corpus, tokenizer, stats, bytesOnDisk }) => [
    contentHash.slice(0, SHORT),
    corpus ?? '?',
    tokenizerWords(tokenizer),
    formatCount(stats.trainTokens),
    formatCount(stats.validationTokens),
    formatBytes(bytesOnDisk),
  ]);
  return renderTable(output, columns, rows);
}

function doneWords({ doneBytes, totalBytes }: UnfinishedData): string {
  if (totalBytes === null) return 'the text is not read yet';
  const percent = totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${percent} %)`;
}

/** Undefined where there is nothing. */
export function unfinishedTable(output: Output, unfinished: readonly UnfinishedData[]): string | undefined {
  if (unfinished.length === 0) return undefined;
  const columns = [
    { title: 'unfinished' },
    { title: 'text', free: true },
    { title: 'tokenizer' },
    { title: 'done' },
    { title: 'on disk', align: right },
    { title: 'last touched' },
  ];
  const rows = unfinished.map((each) => [
    each.id.slice(0, SHORT),
    each.corpus ?? '?',
    tokenizerWords(each.tokenizer),
    doneWords(each),
    formatBytes(each.bytesOnDisk),
    each.working ? 'being prepared now' : formatAgo(each.touchedAt, Date.now()),
  ]);
  const idle = unfinished.filter(({ working }) => !working).length;
  const advice =
    'To go on: sweeplab data prepare with the same settings. To delete: sweeplab data rm ID, or --unfinished.';
  return renderTable(output, columns, rows) + (idle === 0 ? '' : `\n${advice}`);
}

/** The runs that may tell what a dataset is, or be reading it. Those whose process is gone are ended first, where nobody else writes. */
export async function knownRuns(context: Context, write = false) {
  const seen = await readableLab(context);
  if (seen === undefined) return [];
  using _ = seen;
  const runs = seen.store.listRuns({ deleted: 'any' });
  if (!write || runs.every(({ state }) => state !== 'running')) return runs;
  try {
    using lab = await writableLab(context);
    return lab.store.listRuns({ deleted: 'any' });
  } catch (error) {
    // Whoever writes trains, and knows what runs.
    if (error instanceof StoreError && error.code === 'locked') return runs;
    throw error;
  }
}

export interface RemoveOptions {
  readonly unfinished?: boolean;
  readonly downloads?: boolean;
  readonly yes?: boolean;
}

interface Doomed {
  readonly id: string;
  readonly corpus: string | null;
  readonly words: string;
  readonly bytes: number;
  /** @throws LabError where somebody needs it now */
  assertIdle(): void;
  remove(): Promise<number>;
}

export async function removeData(context: Context, names: readonly string[], options: RemoveOptions): Promise<void> {
  const { output, workshop } = context;
  const { cache } = workshop.paths;
  if (names.length === 0 && options.unfinished !== true && options.downloads !== true)
    throw new InputError('say which: ids or names of `sweeplab data list`, --unfinished or --downloads');
  const runs = await knownRuns(context, true);
  const lists = await listPrepared(cache, runs);
  const wordsOf = ({ corpus, tokenizer }: PreparedData | UnfinishedData): string =>
    `${corpus ?? 'an unknown text'}, ${tokenizerWords(tokenizer)}`;
  const prepared = lists.prepared.map((data): Doomed => ({
    id: data.contentHash,
    corpus: data.corpus,
    words: `prepared data of ${wordsOf(data)}`,
    bytes: data.bytesOnDisk,
    assertIdle: () => assertUnread(runs, data.contentHash),
    remove: () => removePrepared(cache, runs, data.contentHash),
  }));
  const unfinished = lists.unfinished.map((data): Doomed => ({
    id: data.id,
    corpus: data.corpus,
    words: `unfinished data of ${wordsOf(data)}`,
    bytes: data.bytesOnDisk,
    assertIdle: () => {
      if (data.working) throw atWork(data.id);
    },
    remove: () => removeUnfinished(cache, data.id),
  }));
  const chosen = new Set(names.flatMap((name) => matching([...prepared, ...unfinished], name)));
  for (const each of chosen) each.assertIdle();
  if (options.unfinished === true) {
    // Of all of them those that nobody works on.
    const working = new Set(lists.unfinished.filter((data) => data.working).map(({ id }) => id));
    for (const each of unfinished) if (!working.has(each.id)) chosen.add(each);
    if (working.size > 0) output.note(`Left as it is, for it is at work now: ${plural(working.size, 'preparation')}.`);
  }
  if (options.downloads === true && lists.downloadedBytes > 0) {
    await assertDownloadsUnread(cache, runs);
    chosen.add({
      id: 'downloads',
      corpus: null,
      words: 'downloaded files',
      bytes: lists.downloadedBytes,
      assertIdle: () => undefined,
      remove: () => removeDownloaded(cache, runs),
    });
  }
  const removed: { id: string; freed: number }[] = [];
  if (chosen.size === 0) output.text('There is nothing to delete.');
  else if (options.yes !== true && !(await agreed(output, [...chosen]))) output.note('Nothing was deleted.');
  else
    for (const { id, words, remove } of chosen) {
      const freed = await remove();
      removed.push({ id, freed });
      output.text(`Deleted ${id.slice(0, SHORT)}, ${words}: ${formatBytes(freed)} freed`);
    }
  output.data({ removed, freed: removed.reduce((sum, { freed }) => sum + freed, 0) });
}

async function agreed(output: Output, doomed: readonly Doomed[]): Promise<boolean> {
  for (const { id, words, bytes } of doomed) output.note(`  ${id.slice(0, SHORT)}  ${words}, ${formatBytes(bytes)}`);
  if (process.stdin.isTTY !== true)
    throw new InputError('nobody is there to be asked whether this may be deleted; look at it, then say --yes');
  return await confirmed(output.json, 'Delete this? It is made again when a run needs it.');
}

/** @throws InputError where nothing, or more than was meant, has the name */
function matching(known: readonly Doomed[], name: string): readonly Doomed[] {
  const named = known.filter(({ corpus }) => corpus === name);
  if (named.length > 0) return named;
  const found = /^[0-9a-f]+$/u.test(name) ? known.filter(({ id }) => id.startsWith(name)) : [];
  if (found.length > 1) {
    const ids = found.map(({ id }) => id.slice(0, Math.max(SHORT, name.length + 4)));
    throw new InputError(`"${name}" begins several ids: ${ids.join(', ')}`);
  }
  if (found.length === 0)
    throw new InputError(`there is no prepared or unfinished data "${name}"; see: sweeplab data list`);
  return found;
}
