/** The summary of a reading in words, the same on the command line, on the Run page and in the Data view. */
import type { ReadingCount, ReadingReport, ReadingSummary } from '../contract/reading.ts';
import { counted, formatBytes, formatInteger } from './format.ts';

/** So many sorts of things are named; the others are counted. */
const NAMED = 5;

function several(counts: readonly ReadingCount[]): string {
  const named = counts
    .slice(0, NAMED)
    .map(({ what, count, first }) => `${what}: ${formatInteger(count)}${first === '' ? '' : ` (first: ${first})`}`);
  const more = counts.length - named.length;
  return [...named, ...(more > 0 ? [`and ${counted(more, 'more kind')}`] : [])].join('; ');
}

/** `JSON lines, gzip`: what there was of each, with numbers only where there was more than one kind. */
function kinds(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  if (entries.length === 1) return entries[0][0];
  return entries.map(([name, count]) => `${formatInteger(count)} ${name}`).join(', ');
}

/** Rows of a summary: what, and the words. */
export function readingLines(report: ReadingReport): [title: string, text: string][] {
  const { files, bytes, documents, textBytes, whole, formats, encodings, compressions } = report;
  const how = [kinds(formats), kinds(encodings), kinds(compressions)].filter((words) => words !== '').join('; ');
  const end = whole ? '' : ', where data.size ended the reading';
  const lines: [string, string][] = [
    ['read', `${counted(files, 'file')} of ${formatBytes(bytes)} (${how})`],
    ['taken', `${counted(documents, 'document')}, ${formatBytes(textBytes)} of text${end}`],
  ];
  const sections = [
    ['left out', report.leftOut],
    ['dropped', report.dropped],
    ['changed', report.changed],
  ] as const;
  for (const [title, counts] of sections) if (counts.length > 0) lines.push([title, several(counts)]);
  return lines;
}

/** Warnings of both sides. */
export const readingWarnings = ({ corpus, validation }: ReadingSummary): string[] => [
  ...new Set([...(corpus?.warnings ?? []), ...(validation?.warnings ?? [])]),
];

/** Kept with every run and sent with every look at it, so it is short. */
const LONGEST = 1500;

/** The whole summary as lines of text; null where nothing was read. */
export function readingText(summary: ReadingSummary): string | null {
  const side = (report: ReadingReport | null, name: string) =>
    report === null ? [] : readingLines(report).map(([title, text]) => `${name}${title}: ${text}`);
  const lines = [
    ...side(summary.corpus, ''),
    ...side(summary.validation, 'validation, '),
    ...readingWarnings(summary).map((warning) => `warning: ${warning}`),
  ];
  if (lines.length === 0) return null;
  const text = lines.join('\n');
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
