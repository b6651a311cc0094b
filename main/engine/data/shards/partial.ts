/** Preparations that were begun and are not finished: what each is of, how far it came, and how to be rid of it. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import type { TokenizerInfo, UnfinishedData } from '../../../../preload/contract/shapes.ts';
import { temporaryName, writeAtomic } from '../../../files/atomic.ts';
import { holdFolder, isHeld } from '../../../files/folderLock.ts';
import { readWhole } from '../../../files/whole.ts';
import type { Kinds } from '../../kind.ts';
import { tokenizerOf } from '../tokenizers/index.ts';
import { notedShards, PARTIAL_NOTE, textOf } from './files.ts';
import type { ScanNote } from './readBlocks.ts';

interface PartialNote {
  readonly corpus: string;
  readonly tokenizer: TokenizerInfo;
  readonly settings: Config;
}

const rootOf = (cacheDir: string) => join(cacheDir, 'datasets', 'partial');

export const partialOf = (cacheDir: string, id: string) => ({
  folder: join(rootOf(cacheDir), id),
  lockName: `${id}.lock`,
});

/** Says what a folder is of, for lists. @throws Error in words */
export async function notePartial(folder: string, config: Config, kinds?: Kinds): Promise<void> {
  const { kind, settings: own } = tokenizerOf(config, kinds);
  const settings = Object.entries(config).filter(
    ([name, value]) => (name.startsWith('data.') || name === 'tokenizer.kind' || name in own) && value !== '',
  );
  const note: PartialNote = {
    corpus: String(config['data.corpus']),
    tokenizer: { kind: kind.name, vocabularySize: kind.vocabulary(own) },
    settings: Object.fromEntries(settings),
  };
  await writeAtomic(join(folder, PARTIAL_NOTE), JSON.stringify(note));
}

/** Null where there is none that can be read. */
async function noteIn<T>(folder: string, name: string): Promise<T | null> {
  try {
    return JSON.parse(Buffer.from((await readWhole(join(folder, name)))!).toString('utf8')) as T;
  } catch {
    return null;
  }
}

/** Those in a cache, the one that was touched last first. */
export async function listPartial(cacheDir: string): Promise<UnfinishedData[]> {
  const root = rootOf(cacheDir);
  const ids = (await readdir(root).catch(() => [])).filter((name) => /^[0-9a-f]{32}$/.test(name));
  const listed: UnfinishedData[] = [];
  for (const id of ids) {
    const { folder, lockName } = partialOf(cacheDir, id);
    const found = await sizeOf(folder);
    if (found === null) continue;
    const note = await noteIn<PartialNote>(folder, PARTIAL_NOTE);
    const { corpus = null, tokenizer = null, settings = null } = note ?? {};
    const shards = await notedShards(folder).catch(() => []);
    const working = await isHeld(root, lockName);
    listed.push({
      id,
      corpus,
      tokenizer,
      settings,
      doneBytes: shards.reduce((sum, shard) => sum + textOf(shard), 0),
      totalBytes: await textBytesOf(folder, settings),
      ...found,
      working,
    });
  }
  return listed.sort((a, b) => b.touchedAt - a.touchedAt);
}

/** Bytes of the texts that were read once; null while one is not. */
async function textBytesOf(folder: string, settings: Config | null): Promise<number | null> {
  const own = (settings?.['data.validation_path'] ?? '') !== '';
  const scans = await Promise.all(
    ['corpus', 'validation'].map((name) => noteIn<ScanNote>(folder, `scan-${name}.json`)),
  );
  const [corpus, validation] = scans.map((scan) => scan?.report.textBytes ?? null);
  if (corpus === null || (own && validation === null)) return null;
  return corpus + (validation ?? 0);
}

/** Null where it is no folder, or no longer there. */
async function sizeOf(folder: string): Promise<Pick<UnfinishedData, 'bytesOnDisk' | 'touchedAt'> | null> {
  const own = await stat(folder).catch(() => null);
  if (own?.isDirectory() !== true) return null;
  let bytesOnDisk = 0;
  let touchedAt = own.mtimeMs;
  for (const name of await readdir(folder).catch(() => [])) {
    const info = await stat(join(folder, name)).catch(() => null);
    if (info === null) continue;
    bytesOnDisk += info.size;
    touchedAt = Math.max(touchedAt, info.mtimeMs);
  }
  return { bytesOnDisk, touchedAt };
}

/** Deletes what was begun; the next preparation begins anew. Nothing is touched while a process works on it. */
export async function removePartial(
  cacheDir: string,
  id: string,
): Promise<{ readonly freed: number } | 'missing' | 'working'> {
  const { folder, lockName } = partialOf(cacheDir, id);
  const found = /^[0-9a-f]{32}$/.test(id) ? await sizeOf(folder) : null;
  if (found === null) return 'missing';
  const lock = await holdFolder(rootOf(cacheDir), { name: lockName, patience: 0 });
  if (lock === null) return 'working';
  try {
    // Where this is cut short, what is left has the name of something to be removed later.
    const aside = temporaryName(join(cacheDir, 'datasets', id));
    await rename(folder, aside);
    lock.remove();
    await rm(aside, { recursive: true, force: true });
  } finally {
    lock.release();
  }
  return { freed: found.bytesOnDisk };
}
