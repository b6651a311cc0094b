/** A metric over two settings. Everything else that differs (other settings, seeds) is averaged, and N says over how many runs. */
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Description } from '../../../preload/shared/statistics/describe.ts';
import { describe } from '../../../preload/shared/statistics/describe.ts';
import { resultValue, higherIsBetter } from '../../../preload/shared/metrics.ts';
import type { Goal } from '../../../preload/shared/metrics.ts';
import type { SweepRun } from '../../../preload/shared/results/groups.ts';
import { differingSettings, valuesOf } from '../../../preload/shared/results/groups.ts';

export interface HeatCell extends Description {
  readonly column: number;
  readonly row: number;
  /** The number that is shown: the mean, or the best run. NaN for a cell without numbers. */
  readonly value: number;
  readonly runs: number;
}

export interface HeatMap {
  readonly columns: readonly SettingValue[];
  readonly rows: readonly SettingValue[];
  /** One per combination that has at least one run. */
  readonly cells: readonly HeatCell[];
  /** Settings that differ inside cells, over which they average. */
  readonly averaged: readonly string[];
}

export function heatMap(
  runs: readonly SweepRun[],
  metric: string,
  columnSetting: string,
  rowSetting: string,
  show: 'mean' | 'best' = 'mean',
  goal: Goal = higherIsBetter(metric) ? 'maximize' : 'minimize',
): HeatMap {
  const columns = valuesOf(runs, columnSetting);
  const rows = valuesOf(runs, rowSetting);
  const cells: HeatCell[] = [];
  const averaged = new Set<string>();
  for (const [column, c] of columns.entries())
    for (const [row, r] of rows.entries()) {
      const here = runs.filter(({ config }) => config[columnSetting] === c && config[rowSetting] === r);
      if (here.length === 0) continue;
      for (const name of differingSettings(here)) averaged.add(name);
      const d = describe(here.map((run) => resultValue(run, metric)));
      const best = goal === 'maximize' ? d.max : d.min;
      cells.push({ ...d, column, row, value: show === 'mean' ? d.mean : best, runs: here.length });
    }
  return { columns, rows, cells, averaged: [...averaged].sort() };
}
