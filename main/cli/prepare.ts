/** Data before training, with progress. */
import type { Config } from '../../preload/contract/settings.ts';
import { prepareDatasets } from '../lab/datasets/datasets.ts';
import type { DataProgress, Dataset } from '../lab/datasets/datasets.ts';
import type { Context } from './context.ts';
import { bar, formatBytes, formatDuration } from './format.ts';
import { readingLines, readingWarnings } from '../../preload/shared/reading.ts';
import type { ReadingReport } from '../../preload/contract/reading.ts';
import { Ticker } from './progress/ticker.ts';

const PHASES: Readonly<Record<DataProgress['phase'], string>> = {
  download: 'downloading',
  read: 'reading the text',
  tokenizer: 'training the tokenizer',
  encode: 'encoding the text',
  save: 'saving the dataset',
};

/**
 * Prepares the datasets of all configurations and tells what was read for each, once. `summary`: also what went well, not only
 * warnings. @throws DataError before anything else happened
 */
export async function prepareData(
  { workshop, output }: Context,
  configs: readonly Config[],
  { summary = true }: { summary?: boolean } = {},
): Promise<Dataset> {
  let latest: DataProgress | undefined;
  const line = (): string => (latest === undefined ? '' : progressLine(latest, output.interactive));
  using _ticker = new Ticker(output, line, line);
  const told = new Set<string>();
  const tell = (text: string, say: (text: string) => void) => {
    if (!told.has(text)) say(text);
    told.add(text);
  };
  return await prepareDatasets(configs, {
    cacheDir: workshop.paths.cache,
    onReady: ({ reading }) => {
      for (const [side, report] of Object.entries(reading))
        if (report !== null && summary) tell(`${side}: ${readingSentence(report)}`, (text) => output.note(text));
      for (const warning of readingWarnings(reading)) tell(warning, (text) => output.warn(text));
    },
    onProgress: (progress) => {
      latest = progress;
    },
  });
}

const readingSentence = (report: ReadingReport): string =>
  readingLines(report)
    .map(([title, text]) => `${title} ${text}`)
    .join('. ');

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
