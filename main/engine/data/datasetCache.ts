/** Prepared datasets on disk: one folder each, named by content, every file with its checksum. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenArrayType } from './tokenArray.ts';
import type { DataStats } from '../../../preload/contract/shapes.ts';
import type { Dataset, EncodedSplit } from './dataset.ts';
import type { TokenArray } from './tokenArray.ts';
import { describeWriteError, makeFolderOnce, temporaryName, writeSynced } from '../../files/atomic.ts';
import { readWhole, sha256 } from '../../files/whole.ts';
import { corporaByContent } from './requests.ts';
import { FileChecks } from './fileChecks.ts';
import type { FileFacts } from './fileChecks.ts';
import { namesOf, PARTIAL_NOTE, SIDES } from './shards/files.ts';
import type { FinishedShards, ShardNote, Side } from './shards/files.ts';
import { ShardedSplit } from './shards/shardedSplit.ts';
import { heldBytes, TokenFiles } from './tokenFiles.ts';
import type { Kinds } from '../kind.ts';
import { tokenizerNamed } from './tokenizers/index.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/** Part of every key: raise it when the format or the meaning of a file changes. */
export const DATASET_VERSION = 'dataset-1';
/** The same for datasets in shards. */
const SHARDS_VERSION = 'shards-1';
const VERSIONS: ReadonlySet<string> = new Set([DATASET_VERSION, SHARDS_VERSION]);

interface Meta {
  readonly version: string;
  readonly contentHash: string;
  readonly tokenizer: { readonly kind: Tokenizer['kind']; readonly vocabularySize: number };
  readonly trainBytes: number;
  readonly validationBytes: number;
  readonly stats: DataStats;
  readonly files: Readonly<Record<string, FileFacts>>;
  /** What there is instead of the files of tokens and offsets, where these are many (shards/). */
  readonly shards?: readonly ShardNote[];
}

const raw = (array: TokenArray | Float64Array | Int32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const folderOf = (cacheDir: string, contentHash: string) => join(cacheDir, 'datasets', contentHash.slice(0, 32));

/** What the content alone decides. Where it came from (what was read, its entropy) belongs to the request, see requests.ts. */
export type StoredDataset = Omit<Dataset, 'information' | 'reading'>;

/** One that was just made. */
export type FreshDataset = StoredDataset & { readonly train: EncodedSplit; readonly validation: EncodedSplit };

/** Saves a dataset. `merges`: the trained tokenizer's, else null. Safe when several processes save the same one. */
export async function saveDataset(cacheDir: string, dataset: FreshDataset, merges: Int32Array | null): Promise<void> {
  const { train, validation, tokenizer } = dataset;
  const contents: Record<string, Uint8Array> = {
    'train.bin': raw(train.tokens),
    'train.offsets.bin': raw(train.offsets),
    'validation.bin': raw(validation.tokens),
    'validation.offsets.bin': raw(validation.offsets),
    ...(merges === null ? {} : { 'merges.bin': raw(merges) }),
  };
  const files = Object.fromEntries(
    Object.entries(contents).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
  );
  const meta: Meta = {
    version: DATASET_VERSION,
    contentHash: dataset.contentHash,
    tokenizer: { kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize },
    trainBytes: train.bytes,
    validationBytes: validation.bytes,
    stats: dataset.stats,
    files,
  };
  await mkdir(join(cacheDir, 'datasets'), { recursive: true });
  await makeFolderOnce(folderOf(cacheDir, dataset.contentHash), async (folder) => {
    for (const [name, bytes] of Object.entries(contents)) await writeSynced(join(folder, name), bytes);
    await writeSynced(join(folder, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`);
  });
}

const filesOfShard = (note: ShardNote): FileFacts[] =>
  SIDES.flatMap((side) => (note[side] === undefined ? [] : [note[side].ids, note[side].list]));

/** Makes a dataset of a folder with finished shards. @returns its name by content @throws Error in words */
export async function publishShards(
  cacheDir: string,
  folder: string,
  { shards, stats, tokenizer, id, merges }: FinishedShards,
): Promise<string> {
  const contentHash = sha256(JSON.stringify([SHARDS_VERSION, id, shards]));
  const contents: Record<string, Uint8Array> = merges === null ? {} : { 'merges.bin': raw(merges) };
  const meta: Meta = {
    version: SHARDS_VERSION,
    contentHash,
    tokenizer: { kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize },
    trainBytes: stats.trainBytes,
    validationBytes: stats.validationBytes,
    stats,
    files: Object.fromEntries(
      Object.entries(contents).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
    ),
    shards,
  };
  const target = folderOf(cacheDir, contentHash);
  try {
    for (const [name, bytes] of Object.entries(contents)) await writeSynced(join(folder, name), bytes);
    await writeSynced(join(folder, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`);
    await rename(folder, target);
  } catch (error) {
    const there = (await readWhole(join(target, 'meta.json')).catch(() => null)) !== null;
    if (!there) throw describeWriteError(error, target);
    // Another text has led to the same.
    await rm(folder, { recursive: true, force: true });
  }
  // What only the preparation needed.
  for (const name of await readdir(target))
    if (name === PARTIAL_NOTE || /^(scan-|shard-)/.test(name)) await rm(join(target, name), { force: true });
  return contentHash;
}

/** Token ids alone are read in pieces. */
const isLarge = (name: string, bytes: number): boolean =>
  heldBytes(bytes) === 0 && /^(train|validation)\.bin$/.test(name);

async function readVerified(folder: string, contentHash: string, kinds?: Kinds): Promise<StoredDataset | null> {
  const metaBytes = await readWhole(join(folder, 'meta.json'));
  if (metaBytes === null) return null;
  const meta = JSON.parse(Buffer.from(metaBytes).toString('utf8')) as Meta;
  if (!VERSIONS.has(meta.version) || meta.contentHash !== contentHash) return null;
  const contents: Record<string, Uint8Array> = {};
  const checks = await FileChecks.of(folder);
  for (const [name, expected] of Object.entries(meta.files)) {
    if (isLarge(name, expected.bytes)) {
      if (!(await checks.isWhole(name, expected))) return null;
      continue;
    }
    const bytes = await readWhole(join(folder, name));
    if (bytes === null || bytes.length !== expected.bytes || sha256(bytes) !== expected.sha256) return null;
    contents[name] = bytes;
  }
  for (const [number, note] of (meta.shards ?? []).entries())
    for (const side of SIDES) {
      const facts = note[side];
      if (facts === undefined) continue;
      const names = namesOf(side, number);
      if (!(await checks.isWhole(names.ids, facts.ids)) || !(await checks.isWhole(names.list, facts.list))) return null;
    }
  await checks.remember();
  const { kind, vocabularySize } = meta.tokenizer;
  const TokenIds = tokenArrayType(vocabularySize);
  const tokens = (name: string) =>
    isLarge(name, meta.files[name].bytes)
      ? new TokenFiles([{ path: join(folder, name), bytes: meta.files[name].bytes }], TokenIds)
      : new TokenIds(contents[name].buffer);
  const offsets = (name: string) => new Float64Array(contents[name].buffer);
  const merges = contents['merges.bin'];
  const tokenizer = await tokenizerNamed(kind, kinds).restore(
    vocabularySize,
    merges === undefined ? null : new Int32Array(merges.buffer),
  );
  const { shards } = meta;
  if (shards !== undefined) {
    const sharded = (side: Side) => new ShardedSplit(folder, side, shards, TokenIds);
    return { train: sharded('train'), validation: sharded('validation'), tokenizer, stats: meta.stats, contentHash };
  }
  return {
    train: { tokens: tokens('train.bin'), offsets: offsets('train.offsets.bin'), bytes: meta.trainBytes },
    validation: {
      tokens: tokens('validation.bin'),
      offsets: offsets('validation.offsets.bin'),
      bytes: meta.validationBytes,
    },
    tokenizer,
    stats: meta.stats,
    contentHash,
  };
}

/** Reads a dataset back, every checksum verified. A damaged one is moved out of the way; null = prepare it (again). */
export async function loadDataset(cacheDir: string, contentHash: string, kinds?: Kinds): Promise<StoredDataset | null> {
  const folder = folderOf(cacheDir, contentHash);
  const dataset = await readVerified(folder, contentHash, kinds).catch(() => null);
  if (dataset !== null) return dataset;
  await moveAway(folder).catch(() => undefined);
  return null;
}

/** Renamed first: another process may be reading or replacing it. */
async function moveAway(folder: string): Promise<void> {
  const aside = temporaryName(folder);
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true });
}

/** Deletes a prepared dataset; whoever needs it prepares it again. @returns the bytes that it took, or null when there is none */
export async function removeDataset(cacheDir: string, contentHash: string): Promise<number | null> {
  const found = (await listDatasets(cacheDir)).find((each) => each.contentHash === contentHash);
  if (found === undefined) return null;
  await moveAway(found.folder);
  return found.bytesOnDisk;
}

/**
 * How many tokens a prepared dataset has, and where its training documents end if that is asked for; null: there is none, or it is damaged,
 * which is told and mended when it is read.
 */
export async function storedCounts(
  cacheDir: string,
  contentHash: string,
  withOffsets: boolean,
): Promise<(Pick<DataStats, 'trainTokens' | 'validationTokens'> & { readonly offsets: Float64Array | null }) | null> {
  const folder = folderOf(cacheDir, contentHash);
  try {
    const meta = JSON.parse(Buffer.from((await readWhole(join(folder, 'meta.json')))!).toString('utf8')) as Meta;
    if (!VERSIONS.has(meta.version) || meta.contentHash !== contentHash) return null;
    const { trainTokens, validationTokens } = meta.stats;
    if (!withOffsets) return { trainTokens, validationTokens, offsets: null };
    const { shards } = meta;
    if (shards !== undefined) {
      const { offsets } = new ShardedSplit(folder, 'train', shards, tokenArrayType(meta.tokenizer.vocabularySize));
      return { trainTokens, validationTokens, offsets };
    }
    const offsets = await readWhole(join(folder, 'train.offsets.bin'));
    return { trainTokens, validationTokens, offsets: offsets === null ? null : new Float64Array(offsets.buffer) };
  } catch {
    return null;
  }
}

/** A prepared dataset as listed for the user. */
export interface CachedDataset {
  readonly contentHash: string;
  /** What it was made of; null where only an earlier version knew. */
  readonly corpus: string | null;
  readonly folder: string;
  readonly tokenizer: { readonly kind: Tokenizer['kind']; readonly vocabularySize: number };
  readonly stats: DataStats;
  readonly bytesOnDisk: number;
}

/** The prepared datasets in a cache, without verifying their contents. Damaged ones are left out. */
export async function listDatasets(cacheDir: string): Promise<CachedDataset[]> {
  const root = join(cacheDir, 'datasets');
  const names = await readdir(root).catch(() => []);
  const corpora = await corporaByContent(cacheDir);
  const listed: CachedDataset[] = [];
  for (const name of names.sort()) {
    if (!/^[0-9a-f]{32}$/.test(name)) continue;
    const folder = join(root, name);
    const bytes = await readWhole(join(folder, 'meta.json')).catch(() => null);
    if (bytes === null) continue;
    try {
      const meta = JSON.parse(Buffer.from(bytes).toString('utf8')) as Meta;
      if (!VERSIONS.has(meta.version)) continue;
      const files = [...Object.values(meta.files), ...(meta.shards ?? []).flatMap(filesOfShard)];
      const bytesOnDisk = files.reduce((sum, file) => sum + file.bytes, bytes.length);
      const { contentHash, tokenizer, stats } = meta;
      const corpus = corpora.get(contentHash) ?? null;
      listed.push({ contentHash, corpus, folder, tokenizer, stats, bytesOnDisk });
    } catch {
      // Not a dataset of ours.
    }
  }
  return listed;
}
