/** Data before training, with progress. */
import type { Config } from '../../preload/contract/settings.ts';
import { prepareDatasets } from '../lab/datasets/datasets.ts';
import type { DataProgress, Dataset } from '../lab/datasets/datasets.ts';
import type { Context } from './context.ts';
import { bar, formatBytes, formatDuration } from './format.ts';
import { Ticker } from './progress/ticker.ts';

const PHASES: Readonly<Record<DataProgress['phase'], string>> = {
  download: 'downloading',
  read: 'reading the text',
  tokenizer: 'training the tokenizer',
  encode: 'encoding the text',
  save: 'saving the dataset',
};

/** Prepares the datasets of all configurations. @throws DataError before anything else happened */
export async function prepareData({ workshop, output }: Context, configs: readonly Config[]): Promise<Dataset> {
  let latest: DataProgress | undefined;
  const line = (): string => (latest === undefined ? '' : progressLine(latest, output.interactive));
  using _ticker = new Ticker(output, line, line);
  return await prepareDatasets(configs, {
    cacheDir: workshop.paths.cache,
    onProgress: (progress) => {
      latest = progress;
    },
  });
}

function progressLine(
  { phase, fraction, etaSeconds, detail, bytes, totalBytes, bytesPerSecond }: DataProgress,
  live: boolean,
): string {
  const size =
    bytes === undefined
      ? ''
      : `${formatBytes(bytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}`;
  return [
    live && fraction !== null ? bar(fraction, 20) : '',
    PHASES[phase],
    detail ?? '',
    fraction === null ? '' : `${Math.round(fraction * 100)} %`,
    size,
    bytesPerSecond === undefined ? '' : `${formatBytes(bytesPerSecond)}/s`,
    etaSeconds === null ? '' : `ETA ${formatDuration(etaSeconds)}`,
  ]
    .filter(Boolean)
    .join('  ');
}
