/** What is said of imports, on pages and on terminals. */
import type { ImportFate, ImportPreview, ImportRun } from '../contract/imports.ts';
import { counted, formatInteger } from './format.ts';

export const FATES: Readonly<Record<ImportFate, string>> = {
  new: 'new',
  update: 'updates',
  same: 'as before',
  here: 'is here already',
};

/** `6 runs: 4 new, 2 updated`. */
export function countsWords(counts: ImportPreview['counts']): string {
  const total = counts.new + counts.update + counts.same + counts.here;
  const words = [
    [counts.new, 'new'],
    [counts.update, 'updated'],
    [counts.same, 'unchanged since the last import'],
    [counts.here, 'in this lab already, not touched'],
  ] as const;
  const said = words.filter(([count]) => count > 0).map(([count, word]) => `${formatInteger(count)} ${word}`);
  return [counted(total, 'run'), ...(said.length > 0 ? [said.join(', ')] : [])].join(': ');
}

export const metricsOf = ({ series, finals }: ImportRun): string[] => [
  ...series.map(({ metric }) => metric),
  ...finals,
];

/** `0–1,000`; null where it has no points. */
export function stepsOf({ series }: ImportRun): string | null {
  if (series.length === 0) return null;
  const first = Math.min(...series.map(({ firstStep }) => firstStep));
  const last = Math.max(...series.map(({ lastStep }) => lastStep));
  return first === last ? formatInteger(last) : `${formatInteger(first)}–${formatInteger(last)}`;
}
