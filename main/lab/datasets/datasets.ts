/** Preparing data before runs start: once for all runs that share it, so that a mistake in the data costs nothing. */
import type { Config } from '../../../preload/contract/settings.ts';
import { confinedTo, type Reach } from '../../engine/data/reading/confine.ts';
import type { Dataset } from '../../engine/data/dataset.ts';
import { entropyFloor } from '../../engine/data/index.ts';
import type { EntropyFloor } from '../../engine/data/index.ts';
import { datasetRequest, prepareDataset } from '../../engine/data/prepare.ts';
import type { Kinds } from '../../engine/kind.ts';
import type { OnProgress } from '../../engine/data/progress.ts';

export type { Dataset, Reach };

/** The entropy of the whole validation text, where it is known. */
export function floorOf({ validation, tokenizer, information }: Dataset): EntropyFloor | null {
  return information === null ? null : entropyFloor(validation, tokenizer, information);
}

export interface DatasetOptions {
  readonly cacheDir: string;
  /** The corpora and tokenizers that exist; the built-in ones unless given. */
  readonly kinds?: Kinds;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** What reading may not leave; without it anything may be read. */
  readonly reach?: Reach | undefined;
  /** Called with each dataset once it is ready. */
  readonly onReady?: (dataset: Dataset) => void;
}

/** Settings that decide what a dataset holds: those of corpora and tokenizers are named so. */
const decides = (name: string): boolean =>
  (name.startsWith('data.') || name.startsWith('tokenizer.')) && !OF_BATCHES.has(name);
/** How rows are made of a dataset. */
const OF_BATCHES: ReadonlySet<string> = new Set(['data.batching', 'data.document_mask']);

/** Equal for configurations that share a dataset. */
export function datasetKey(config: Config): string {
  const entries = Object.entries(config).filter(([name]) => decides(name));
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As `datasetKey`, and another one once a file was changed. Looks at the files, reads none. @throws DataError */
export const currentDatasetKey = (config: Config, reach?: Reach, kinds?: Kinds): Promise<string> =>
  confinedTo(reach, () => datasetRequest(config, kinds));

/**
 * Prepares every dataset that the configurations need, one after the other. The engines then find them in the cache.
 * @returns what the first configuration trains on
 * @throws DataError for settings that cannot work; nothing else has been started then
 */
export async function prepareDatasets(configs: readonly Config[], options: DatasetOptions): Promise<Dataset> {
  let first: Dataset | undefined;
  for (const config of new Map(configs.map((each) => [datasetKey(each), each])).values()) {
    const dataset = await confinedTo(options.reach, () => prepareDataset(config, options));
    first ??= dataset;
    options.onReady?.(dataset);
  }
  if (first === undefined) throw new Error('no configuration needs data');
  return first;
}
