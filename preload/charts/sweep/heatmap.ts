/** A metric over two settings. Everything else that differs (other settings, seeds) is averaged, and N says over how many runs. */
import type { Goal } from '../../shared/metrics.ts';
import { briefSetting } from '../../shared/format.ts';
import type { SettingValue } from '../../contract/settings.ts';
import { differingSettings, valuesOf } from '../../shared/results/groups.ts';
import { outcomeOf } from '../../shared/results/samples.ts';
import type { Outcome, SweepRun } from '../../shared/results/samples.ts';
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

/** Values that have a place of their own. More numbers than these were drawn, and neighbours share a place. */
const MOST_PLACES = 12;
const SHARED_PLACES = 8;

interface Place {
  readonly name: SettingValue;
  readonly holds: (value: SettingValue | undefined) => boolean;
}

/**
 * @param values of one setting, each once, in their order
 * @param isSampled few of all combinations were tried: each number by itself would have a cell or two
 */
function placesOf(values: readonly SettingValue[], isSampled: boolean): Place[] {
  const numbers = values.filter((value) => typeof value === 'number');
  if (!isSampled || numbers.length <= MOST_PLACES || numbers.length < values.length)
    return values.map((name) => ({ name, holds: (value) => value === name }));
  const ordered = numbers.toSorted((a, b) => a - b);
  const [low, middle, high] = [ordered[0], ordered[Math.floor(ordered.length / 2)], ordered.at(-1)!];
  // By factors where these spread the numbers more evenly.
  const plain = (value: number): number => value;
  const off = (by: (value: number) => number): number => Math.abs((by(middle) - by(low)) / (by(high) - by(low)) - 0.5);
  const on = low > 0 && off(Math.log) < off(plain) ? Math.log : plain;
  const placeOf = (value: number): number =>
    Math.min(SHARED_PLACES - 1, Math.floor((SHARED_PLACES * (on(value) - on(low))) / (on(high) - on(low))));
  // Named by what was drawn, not by bounds at which nothing was tried.
  const groups = [...Map.groupBy(ordered, placeOf).values()];
  return groups.map((group) => {
    const [first, last] = [group[0], group.at(-1)!];
    const name = group.length === 1 ? first : `${briefSetting(first, 3)} – ${briefSetting(last, 3)}`;
    return { name, holds: (value) => typeof value === 'number' && value >= first && value <= last };
  });
}

/** @param runs one per seed of each setting */
export function heatMap(
  runs: readonly SweepRun[],
  metric: string,
  columnSetting: string,
  rowSetting: string,
  show: 'mean' | 'best',
  goal: Goal,
  unit?: string,
): HeatMap {
  const values = [columnSetting, rowSetting].map((setting) => valuesOf(runs, setting));
  const tried = new Set(runs.map(({ config }) => JSON.stringify([config[columnSetting], config[rowSetting]])));
  const isSampled = 2 * tried.size < values[0].length * values[1].length;
  const [columns, rows] = values.map((each) => placesOf(each, isSampled));
  const cells: HeatCell[] = [];
  for (const [column, c] of columns.entries())
    for (const [row, r] of rows.entries()) {
      const here = runs.filter(({ config }) => c.holds(config[columnSetting]) && r.holds(config[rowSetting]));
      if (here.length === 0) continue;
      const outcome = outcomeOf(here, metric, unit);
      const best = goal === 'maximize' ? outcome.metric.max : outcome.metric.min;
      cells.push({ ...outcome, column, row, value: show === 'mean' ? outcome.metric.mean : best });
    }
  const averaged = [...new Set(cells.flatMap((cell) => differingSettings(cell.runs)))].sort();
  // Numbers that share a place differ from cell to cell by themselves.
  const drawn = [columnSetting, rowSetting];
  return {
    columns: columns.map(({ name }) => name),
    rows: rows.map(({ name }) => name),
    cells,
    averaged,
    unbalanced: unbalanced(
      cells,
      averaged.filter((name) => !drawn.includes(name)),
    ),
  };
}
