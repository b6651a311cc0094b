/** Datasets of the Hugging Face Hub, through its list of automatic Parquet conversions. */
import { join } from 'node:path';
import { DataError, listNames } from '../errors.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { fetchJson } from './transfer.ts';
import type { TransferOptions } from './transfer.ts';

export interface Shard {
  readonly url: string;
  readonly filename: string;
  readonly size: number;
}

interface ListedFile extends Shard {
  readonly config: string;
  readonly split: string;
}

function parseListing(value: unknown): ListedFile[] {
  const files = (value as { parquet_files?: unknown } | null)?.parquet_files;
  if (!Array.isArray(files)) throw new Error('The Hugging Face datasets server answered in an unknown form.');
  return files.filter(
    (file: Partial<ListedFile>): file is ListedFile =>
      typeof file.url === 'string' &&
      typeof file.filename === 'string' &&
      typeof file.config === 'string' &&
      typeof file.split === 'string',
  );
}

const unique = (names: readonly string[]) => [...new Set(names)];

/** The Parquet files of one split of a dataset, in order. `config` '' = the only or the default one. */
export async function listShards(
  dataset: string,
  config: string,
  split: string,
  folder: string,
  options: TransferOptions,
): Promise<Shard[]> {
  const base = options.net?.bases?.datasetsServer ?? 'https://datasets-server.huggingface.co';
  const query = `dataset=${encodeURIComponent(dataset)}${config === '' ? '' : `&config=${encodeURIComponent(config)}`}`;
  const listing = parseListing(await fetchJson(`${base}/parquet?${query}`, join(folder, 'listing.json'), options));
  const configs = unique(listing.map((file) => file.config));
  if (configs.length === 0)
    throw new DataError(
      'data.corpus',
      `hf:${dataset}`,
      'the dataset has no Parquet files (yet).',
      'a dataset with a viewer',
    );
  let chosen = config;
  if (chosen === '') {
    if (configs.length === 1) [chosen] = configs;
    else if (configs.includes('default')) chosen = 'default';
  }
  if (!configs.includes(chosen)) {
    const what =
      chosen === '' ? `hf:${dataset} has several configurations.` : `hf:${dataset} has no such configuration.`;
    throw new DataError('data.config', config, what, listNames(configs), nearestName(config, configs) ?? configs[0]);
  }
  const ofConfig = listing.filter((file) => file.config === chosen);
  const splits = unique(ofConfig.map((file) => file.split));
  if (!splits.includes(split))
    throw new DataError(
      'data.split',
      split,
      `hf:${dataset} (${chosen}) has no such split.`,
      listNames(splits),
      nearestName(split, splits) ?? splits[0],
    );
  return ofConfig
    .filter((file) => file.split === split)
    .sort((a, b) => (a.filename < b.filename ? -1 : a.filename > b.filename ? 1 : 0))
    .map(({ url, filename, size }) => ({ url, filename, size }));
}
