/** A metric over two settings. Everything else that differs (other settings, seeds) is averaged, and N says over how many runs. */
import type { Goal } from '../../../preload/shared/metrics.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { differingSettings, valuesOf } from '../../../preload/shared/results/groups.ts';
import { outcomeOf } from '../../../preload/shared/results/samples.ts';
import type { Outcome, SweepRun } from '../../../preload/shared/results/samples.ts';
import { unbalanced } from './balance.ts';

export interface HeatCell extends Outcome {
  readonly column: number;
  readonly row: number;
  /** The number that is shown: the mean, or the best run. NaN for a cell without numbers. */
  readonly value: number;
}

export interface HeatMap {
  readonly columns: readonly SettingValue[];
  readonly rows: readonly SettingValue[];
  /** One per combination that has at least one run. */
  readonly cells: readonly HeatCell[];
  /** Settings that differ inside cells, over which they average. */
  readonly averaged: readonly string[];
  /** Settings that have not the same values in every cell, so that cells differ by them too: a combination was left out, or failed. */
  readonly unbalanced: readonly string[];
}

/** @param runs one per seed of each setting */
export function heatMap(
  runs: readonly SweepRun[],
  metric: string,
  columnSetting: string,
  rowSetting: string,
  show: 'mean' | 'best',
  goal: Goal,
): HeatMap {
  const columns = valuesOf(runs, columnSetting);
  const rows = valuesOf(runs, rowSetting);
  const cells: HeatCell[] = [];
  for (const [column, c] of columns.entries())
    for (const [row, r] of rows.entries()) {
      const here = runs.filter(({ config }) => config[columnSetting] === c && config[rowSetting] === r);
      if (here.length === 0) continue;
      const outcome = outcomeOf(here, metric);
      const best = goal === 'maximize' ? outcome.metric.max : outcome.metric.min;
      cells.push({ ...outcome, column, row, value: show === 'mean' ? outcome.metric.mean : best });
    }
  const averaged = [...new Set(cells.flatMap((cell) => differingSettings(cell.runs)))].sort();
  return { columns, rows, cells, averaged, unbalanced: unbalanced(cells, averaged) };
}
