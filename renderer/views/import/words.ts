/** What is said of imports. */
import type { ColumnRole, ImportFate, ImportPreview, ImportRun } from '../../../preload/contract/imports.ts';
import { formatInteger, plural } from '../../../preload/shared/format.ts';

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
  return `${plural(total, 'run')}: ${said.join(', ')}`;
}

/** In the order of the list that one is chosen from. */
export const ROLE_WORDS: Readonly<Record<ColumnRole, string>> = {
  metric: 'metric',
  setting: 'setting',
  final: 'value at the end',
  step: 'steps',
  seed: 'seed',
  run: 'tells runs apart',
  name: 'name of the run',
  group: 'sweep',
  series: 'names of metrics',
  value: 'values of metrics',
  time: 'time',
  seconds: 'seconds since the begin',
  started: 'begin',
  ended: 'end',
  state: 'state',
  note: 'note',
  tags: 'tags',
  about: 'kept with the run',
  ignore: 'left out',
};

/** `lr, depth and 3 more`. */
export const listed = (names: readonly string[], most: number): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

export const metricsOf = ({ series, finals }: ImportRun): string[] => [
  ...series.map(({ metric }) => metric),
  ...finals,
];

export const pointsOf = ({ series }: ImportRun): number => series.reduce((sum, { points }) => sum + points, 0);

/** `0–1,000`; null where it has no points. */
export function stepsOf({ series }: ImportRun): string | null {
  if (series.length === 0) return null;
  const first = Math.min(...series.map(({ firstStep }) => firstStep));
  const last = Math.max(...series.map(({ lastStep }) => lastStep));
  return first === last ? formatInteger(last) : `${formatInteger(first)}–${formatInteger(last)}`;
}
