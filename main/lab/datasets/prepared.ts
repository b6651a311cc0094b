/** What lies in the cache: datasets that are prepared, and preparations that are not finished. */
import { LabError } from '../../../preload/contract/rpc.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { PreparedData, UnfinishedData } from '../../../preload/contract/shapes.ts';
import {
  downloadedBytes,
  listDatasets,
  listPartial,
  removeDataset,
  removeDownloads,
  removePartial,
} from '../../engine/data/index.ts';
import type { CachedDataset } from '../../engine/data/index.ts';
import { readerOf } from './inUse.ts';

export interface PreparedLists {
  readonly prepared: (PreparedData & Pick<CachedDataset, 'folder'>)[];
  readonly unfinished: UnfinishedData[];
  /** Of the files that were downloaded for data and libraries. */
  readonly downloadedBytes: number;
}

/** @param runs tell of what datasets of earlier versions were made */
export async function listPrepared(
  cacheDir: string,
  runs: readonly Pick<RunRecord, 'environment' | 'config'>[],
): Promise<PreparedLists> {
  const trained = new Map<unknown, unknown>(
    runs.map(({ environment, config }) => [environment.dataset, config['data.corpus']]),
  );
  const datasets = await listDatasets(cacheDir);
  return {
    prepared: datasets.map((data) => ({
      ...data,
      corpus: data.corpus ?? (trained.get(data.contentHash) as string | undefined) ?? null,
    })),
    unfinished: await listPartial(cacheDir),
    downloadedBytes: await downloadedBytes(cacheDir),
  };
}

/** @throws LabError where a run may be reading it */
export function assertUnread(runs: Parameters<typeof readerOf>[0], contentHash: string): void {
  const reader = readerOf(runs, contentHash);
  if (reader === undefined) return;
  throw new LabError(
    'state',
    `The prepared data is in use: ${reader.name} (${reader.id}) is running. Stop it, or wait until it has ended.`,
  );
}

/** @returns the bytes that it took @throws LabError where a run may be reading it, or there is none */
export async function removePrepared(
  cacheDir: string,
  runs: Parameters<typeof readerOf>[0],
  contentHash: string,
): Promise<number> {
  assertUnread(runs, contentHash);
  const freed = await removeDataset(cacheDir, contentHash);
  if (freed === null) throw new LabError('not-found', `There is no prepared data ${contentHash.slice(0, 12)}.`);
  return freed;
}

export const atWork = (id: string): LabError =>
  new LabError('state', `${id.slice(0, 12)} is being prepared now. Stop that, or wait until it has ended.`);

/** @returns the bytes that it took @throws LabError where it is worked on, or there is none */
export async function removeUnfinished(cacheDir: string, id: string): Promise<number> {
  const removal = await removePartial(cacheDir, id);
  if (removal === 'missing') throw new LabError('not-found', `There is no unfinished preparation ${id.slice(0, 12)}.`);
  if (removal === 'working') throw atWork(id);
  return removal.freed;
}

/** Whoever reads them would find them gone. @throws LabError where a run, or a preparation, may be reading them */
export async function assertDownloadsUnread(cacheDir: string, runs: Parameters<typeof readerOf>[0]): Promise<void> {
  const reader = readerOf(runs, undefined);
  if (reader !== undefined)
    throw new LabError(
      'state',
      `${reader.name} (${reader.id}) has just begun and may be reading downloads. Wait a moment.`,
    );
  const working = (await listPartial(cacheDir)).find((each) => each.working);
  if (working !== undefined) throw atWork(working.id);
}

/** Deletes what was downloaded, but for what is being downloaded. @returns the bytes that it took @throws LabError where it may be read now */
export async function removeDownloaded(cacheDir: string, runs: Parameters<typeof readerOf>[0]): Promise<number> {
  await assertDownloadsUnread(cacheDir, runs);
  return await removeDownloads(cacheDir);
}
