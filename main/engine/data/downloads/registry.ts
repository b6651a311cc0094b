/** Corpora by name: where they are and how their files are read. Files are fetched one at a time, as they are needed. */
import { join } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Documents } from '../corpusBuilder.ts';
import { DataError } from '../errors.ts';
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
  /** Separator that this corpus needs, whatever data.separator says. */
  readonly separator?: string;
  readonly regroup?: Regroup;
  readonly from:
    | { readonly kind: 'github'; readonly path: string; readonly filename: string; readonly sha256: string }
    | { readonly kind: 'huggingface'; readonly dataset: string; readonly config: string; readonly split: string };
}

/** WikiText's rows are lines; an article begins at a heading of the first level, ` = Title = `. */
export function joinArticles(documents: Documents): ReturnType<Regroup> {
  const heading = /^ = [^=].* = ?\n?$/;
  const newline = Uint8Array.of(10);
  let open = false;
  const add = (line: Uint8Array): boolean => {
    if (open && line.length < 400 && heading.test(Buffer.from(line).toString('utf8'))) {
      open = false;
      if (!documents.close()) return false;
    }
    open = true;
    // A row without its line end gets one back.
    return documents.part(line) && (line[line.length - 1] === 10 || documents.part(newline));
  };
  return {
    wantsEmpty: true,
    add,
    addText: (line) => add(Buffer.from(line, 'utf8')),
    part: () => {
      throw new Error('a table gives whole rows');
    },
    close: () => true,
    end: () => {
      if (open) documents.close();
    },
  };
}

interface Known {
  readonly dataset: string;
  readonly config: string;
  readonly column: string;
  readonly regroup?: Download['regroup'];
}

const HUGGING_FACE: Readonly<Record<string, Known>> = {
  'wikitext-2': { dataset: 'Salesforce/wikitext', config: 'wikitext-2-raw-v1', column: 'text', regroup: joinArticles },
  'wikitext-103': {
    dataset: 'Salesforce/wikitext',
    config: 'wikitext-103-raw-v1',
    column: 'text',
    regroup: joinArticles,
  },
  'hacker-news': { dataset: 'julien040/hacker-news-posts', config: '', column: 'title' },
  'fineweb-edu': { dataset: 'HuggingFaceFW/fineweb-edu', config: 'sample-10BT', column: 'text' },
};

export const downloadNames: readonly string[] = ['tinyshakespeare', ...Object.keys(HUGGING_FACE)];

/** What each name stands for, in a line for the user. */
export const corpusDescriptions: Readonly<Record<string, string>> = {
  stories: 'built in: short animal stories from a grammar with exactly known entropy, any length',
  tinyshakespeare: 'works of Shakespeare, 1.1 MB, public domain',
  'wikitext-2': 'WikiText-2 raw, Wikipedia articles, about 11 MB (Merity et al. 2016, CC BY-SA)',
  'wikitext-103': 'WikiText-103 raw, Wikipedia articles, about 540 MB (Merity et al. 2016, CC BY-SA)',
  'hacker-news': 'titles of Hacker News posts (julien040/hacker-news-posts); set data.size or take all',
  'fineweb-edu':
    'educational web pages, the 10-billion-token sample of FineWeb-Edu, tens of GB: set data.size (ODC-By)',
};

/** The download a corpus name means, or null when it is no such name. */
export function findDownload(corpus: string, config: Config): Download | null {
  if (corpus === 'tinyshakespeare')
    return {
      id: corpus,
      column: '',
      from: {
        kind: 'github',
        path: 'karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
        filename: 'tinyshakespeare.txt',
        sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
      },
    };
  const column = String(config['data.column'] ?? 'text') || 'text';
  const named = String(config['data.config'] ?? '');
  const split = String(config['data.split'] ?? 'train') || 'train';
  const id = (dataset: string, configuration: string) => `hf:${dataset}:${configuration}:${split}`;
  const known = Object.hasOwn(HUGGING_FACE, corpus) ? HUGGING_FACE[corpus] : undefined;
  if (known !== undefined) {
    const configuration = named === '' ? known.config : named;
    return {
      id: id(known.dataset, configuration),
      // `text` is the setting's default and means the corpus' own column.
      column: column === 'text' ? known.column : column,
      regroup: known.regroup,
      from: { kind: 'huggingface', dataset: known.dataset, config: configuration, split },
    };
  }
  if (!corpus.startsWith('hf:')) return null;
  const dataset = corpus.slice(3);
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(dataset) || dataset.includes('..'))
    throw new DataError('data.corpus', corpus, 'not the name of a Hugging Face dataset.', 'hf:owner/name');
  return { id: id(dataset, named), column, from: { kind: 'huggingface', dataset, config: named, split } };
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
