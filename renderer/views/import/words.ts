/** What is said of the columns of tables on the page of an import. */
import type { ColumnRole, ImportRun } from '../../../preload/contract/imports.ts';

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

export const pointsOf = ({ series }: ImportRun): number => series.reduce((sum, { points }) => sum + points, 0);
