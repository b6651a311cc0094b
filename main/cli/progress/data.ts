/** The display of data being prepared. */
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import type { DatasetOptions } from '../../lab/datasets/datasets.ts';
import { bar, formatBytes, formatDuration } from '../format.ts';
import type { Output } from '../output.ts';
import { readingLines, readingWarnings } from '../../../preload/shared/reading.ts';
import type { ReadingReport } from '../../../preload/contract/reading.ts';
import { Ticker } from './ticker.ts';

const PHASES: Readonly<Record<DataProgress['phase'], string>> = {
  download: 'downloading',
  unpack: 'unpacking',
  read: 'reading the text',
  tokenizer: 'training the tokenizer',
  encode: 'encoding the text',
  save: 'saving the dataset',
};

/** Share of held-out documents from which on their loss tells what was learnt by heart. */
const MANY_TWICE = 0.2;
const twiceWords = (share: number): string =>
  `${Math.round(100 * share)} % of the held-out documents occur word for word in the training text: their loss says little about new text`;

export type DataDisplay = Disposable & Required<Pick<DatasetOptions, 'onProgress' | 'onReady'>>;

/**
 * Shows the latest of what it is told until disposed, and tells what was read for each dataset, once. `summary`: also what went well, not
 * only warnings.
 */
export function dataDisplay(output: Output, { summary = true }: { readonly summary?: boolean } = {}): DataDisplay {
  let latest: DataProgress | undefined;
  const line = (): string => (latest === undefined ? '' : progressLine(latest, output.interactive));
  const ticker = new Ticker(output, line, line);
  const told = new Set<string>();
  const tell = (text: string, say: (text: string) => void): void => {
    if (!told.has(text)) say(text);
    told.add(text);
  };
  return {
    onProgress: (progress) => {
      latest = progress;
    },
    onReady: ({ reading, stats }) => {
      if (stats.duplicateFraction >= MANY_TWICE) tell(twiceWords(stats.duplicateFraction), (text) => output.warn(text));
      for (const [side, report] of Object.entries(reading))
        if (report !== null && summary) tell(`${side}: ${readingSentence(report)}`, (text) => output.note(text));
      for (const warning of readingWarnings(reading)) tell(warning, (text) => output.warn(text));
    },
    [Symbol.dispose]: () => ticker[Symbol.dispose](),
  };
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
