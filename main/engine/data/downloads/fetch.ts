/** The files of a download, fetched one at a time, as they are needed. */
import { join } from 'node:path';
import type { OnProgress } from '../progress.ts';
import type { Regroup } from '../reading/reader.ts';
import { describeFile } from '../reading/sourceFile.ts';
import type { CorpusFile } from '../reading/sourceFile.ts';
import { listShards } from './huggingface.ts';
import { download } from './transfer.ts';
import type { NetOptions } from './transfer.ts';

export interface Download {
  /** Names source, configuration and split; part of cache keys. */
  readonly id: string;
  readonly column: string;
  readonly regroup?: Regroup;
  readonly from:
    | { readonly kind: 'github'; readonly path: string; readonly filename: string; readonly sha256: string }
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
  const folder = join(
    root,
    'hf',
    safe(from.dataset),
    safe(from.config === '' ? 'default' : from.config),
    safe(from.split),
  );
  const shards = await listShards(from.dataset, from.config, from.split, folder, options);
  for (const shard of shards) {
    const path = join(folder, safe(shard.filename));
    await download(onBase(shard.url, options.net?.bases?.huggingface), path, options);
    yield await describeFile(path);
  }
}

/** Puts another server in the place of huggingface.co, for mirrors and tests. */
function onBase(url: string, base: string | undefined): string {
  if (base === undefined) return url;
  const { pathname, search } = new URL(url);
  return base.replace(/\/$/, '') + pathname + search;
}
