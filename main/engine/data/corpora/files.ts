/** Finds the files a path, folder or glob means, and reads their documents. */
import { glob, open, readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Corpus } from '../corpus.ts';
import { CorpusBuilder } from '../corpus.ts';
import { DataError, throwIfAborted } from '../errors.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { readCsv, readJson, readJsonLines, readParquet } from './tables.ts';
import { fileChunks, splitDocuments } from './text.ts';

export interface CorpusFile {
  readonly path: string;
  readonly size: number;
  /** Changes whenever the file does: size, inode, and nanosecond times of change. */
  readonly version: string;
}

type Format = 'text' | 'jsonl' | 'json' | 'csv' | 'parquet';

const FORMATS: Readonly<Record<string, Format>> = {
  '.txt': 'text',
  '.text': 'text',
  '.md': 'text',
  '.raw': 'text',
  '.tokens': 'text',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.parquet': 'parquet',
};

const extension = (path: string) => extname(path.replace(/\.gz$/i, '')).toLowerCase();

/** The format by the name's ending; unknown endings are read as plain text. */
export const formatOf = (path: string): Format => FORMATS[extension(path)] ?? 'text';

const hasMagic = (path: string) => /[*?[\]{}]/.test(path);

export async function describeFile(path: string): Promise<CorpusFile> {
  const info = await stat(path, { bigint: true });
  return {
    path,
    size: Number(info.size),
    version: `${info.size}:${info.ino}:${info.mtimeNs}:${info.ctimeNs}`,
  };
}

/** Whether a corpus setting can be meant as a path rather than a name. */
export const looksLikePath = (corpus: string): boolean => /[/\\]|\.\w+$/.test(corpus) || hasMagic(corpus);

/**
 * The files meant by a path, a folder (all files of known formats in it, recursively) or a glob, in the order of their paths.
 * Null when nothing is there by that name.
 */
export async function findFiles(path: string, setting: string): Promise<CorpusFile[] | null> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new DataError(setting, path, `cannot be read (${error.code}).`, 'a readable file, folder or glob');
  });
  if (info?.isFile()) {
    const handle = await open(absolute, 'r').catch((error: NodeJS.ErrnoException) => {
      throw new DataError(setting, path, `cannot be read (${error.code}).`, 'a readable file, folder or glob');
    });
    await handle.close();
    return [await describeFile(absolute)];
  }
  let found: string[];
  if (info?.isDirectory()) {
    const entries = await readdir(absolute, { recursive: true, withFileTypes: true });
    found = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && extension(entry.name) in FORMATS)
      .map((entry) => join(entry.parentPath, entry.name));
    if (found.length === 0) {
      const known = Object.keys(FORMATS).join(' ');
      throw new DataError(
        setting,
        path,
        'the folder has no text or table files.',
        `files ending in ${known} (also .gz)`,
      );
    }
  } else if (hasMagic(path)) {
    found = [];
    for await (const entry of glob(path, { withFileTypes: true }))
      if (entry.isFile()) found.push(resolve(join(entry.parentPath, entry.name)));
    if (found.length === 0)
      throw new DataError(setting, path, 'no file matches.', 'a glob that matches at least one file');
  } else return null;
  return Promise.all(found.sort().map(describeFile));
}

export interface ReadOptions {
  readonly column: string;
  readonly separator: string;
  /** At most so many bytes of text; 0 = all. */
  readonly limit: number;
  readonly setting: string;
  /** Bytes of all files together where known, for the progress; else 0. */
  readonly totalBytes: number;
  /** Regroups documents, for corpora whose rows are not documents. */
  readonly regroup?: (documents: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Splits the documents of one file by its format. */
export function readDocuments(
  path: string,
  column: string,
  separator: string,
  onBytes?: (read: number) => void,
): AsyncGenerator<Uint8Array> {
  switch (formatOf(path)) {
    case 'jsonl':
      return readJsonLines(path, column, onBytes);
    case 'json':
      return readJson(path, column);
    case 'csv':
      return readCsv(path, column, onBytes);
    case 'parquet':
      return readParquet(path, column, onBytes);
    case 'text':
      return splitDocuments(fileChunks(path, onBytes), separator);
  }
}

/**
 * Reads the documents of all files, in order, up to the limit. Files are asked for one at a time, so that downloads stop
 * with the last one needed.
 */
export async function readFiles(
  files: AsyncIterable<CorpusFile> | Iterable<CorpusFile>,
  options: ReadOptions,
): Promise<Corpus> {
  const { limit, totalBytes, onProgress, signal, regroup } = options;
  const builder = new CorpusBuilder(limit);
  const meter = new PhaseMeter('read', onProgress);
  let before = 0;
  const names: string[] = [];
  for await (const file of files) {
    throwIfAborted(signal);
    names.push(file.path);
    const onBytes = (read: number) => {
      // Whichever comes first ends the reading: the files or the limit.
      const ofFiles = totalBytes > 0 ? (before + read) / totalBytes : 0;
      if (limit > 0 && builder.length / limit >= ofFiles) meter.update(builder.length, limit, file.path, true);
      else meter.update(before + read, totalBytes, file.path, true);
    };
    const raw = readDocuments(file.path, options.column, options.separator, onBytes);
    let seen = 0;
    for await (const document of regroup === undefined ? raw : regroup(raw)) {
      if (!builder.add(document)) break;
      if ((++seen & 1023) === 0) throwIfAborted(signal);
    }
    if (builder.full) break;
    before += file.size;
  }
  if (builder.documents === 0) {
    const what = names.length === 1 ? names[0] : `${names.length} files`;
    throw new DataError(options.setting, what, 'holds no text.', 'files with at least one document that is not empty');
  }
  return builder.build();
}
