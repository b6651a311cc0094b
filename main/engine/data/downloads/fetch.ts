/** The files of a download, fetched one at a time, as they are needed. */
import { join } from 'node:path';
import { sha256 } from '../../../files/whole.ts';
import type { OnProgress } from '../progress.ts';
import type { Regroup } from '../reading/reader.ts';
import { describeFile } from '../reading/sourceFile.ts';
import type { CorpusFile } from '../reading/sourceFile.ts';
import { listShards } from './huggingface.ts';
import type { Shard } from './huggingface.ts';
import { download, fileNameOf } from './transfer.ts';
import type { NetOptions } from './transfer.ts';

export interface Download {
  /** Names source, configuration and split; part of cache keys. */
  readonly id: string;
  readonly column: string;
  readonly regroup?: Regroup;
  readonly from:
    | { readonly kind: 'github'; readonly path: string; readonly filename: string; readonly sha256: string }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'huggingface'; readonly dataset: string; readonly config: string; readonly split: string };
}

export interface FetchOptions {
  readonly cacheDir: string;
  readonly net?: NetOptions;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const safe = (name: string) => name.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_') || '_';

/** The files of a download, each fetched (or found in the cache and verified) when it is asked for. */
export async function* fetchFiles(wanted: Download, options: FetchOptions): AsyncGenerator<CorpusFile> {
  const { from } = wanted;
  const root = join(options.cacheDir, 'downloads');
  if (from.kind === 'github') {
    const base = options.net?.bases?.githubRaw ?? 'https://raw.githubusercontent.com';
    const path = join(root, from.filename);
    await download(`${base}/${from.path}`, path, { ...options, sha256: from.sha256 });
    yield await describeFile(path);
    return;
  }
  if (from.kind === 'url') {
    yield await fetchUrl(from.url, options);
    return;
  }
  const { folder, shards } = await shardsOf(from, options);
  for (const shard of shards) {
    const path = join(folder, safe(shard.filename));
    await download(onBase(shard.url, options.net?.bases?.huggingface), path, options);
    yield await describeFile(path);
  }
}

/** Two addresses may end in the same name, which tells what the file holds. */
async function fetchUrl(url: string, options: FetchOptions): Promise<CorpusFile> {
  const name = safe(fileNameOf(url));
  const path = join(options.cacheDir, 'downloads', 'url', sha256(url).slice(0, 32), name);
  await download(url, path, options);
  return await describeFile(path);
}

async function shardsOf(
  { dataset, config, split }: Extract<Download['from'], { kind: 'huggingface' }>,
  options: FetchOptions,
): Promise<{ folder: string; shards: Shard[] }> {
  const parts = [dataset, config === '' ? 'default' : config, split].map(safe);
  const folder = join(options.cacheDir, 'downloads', 'hf', ...parts);
  return { folder, shards: await listShards(dataset, config, split, folder, options) };
}

/** Bytes of all its files, where they are said; else 0. Of an address the file is fetched. */
export async function sizeOfDownload({ from }: Download, options: FetchOptions): Promise<number> {
  if (from.kind === 'github') return 0;
  // Not every server says it before, and the file is needed anyway.
  if (from.kind === 'url') return (await fetchUrl(from.url, options)).size;
  const { shards } = await shardsOf(from, options);
  return shards.reduce((sum, { size }) => sum + (size || 0), 0);
}

/** Puts another server in the place of huggingface.co, for mirrors and tests. */
function onBase(url: string, base: string | undefined): string {
  if (base === undefined) return url;
  const { pathname, search } = new URL(url);
  return base.replace(/\/$/, '') + pathname + search;
}
