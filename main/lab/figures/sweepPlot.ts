/** The charts of a sweep's page from its runs: against a setting, over two, in parallel coordinates, against what it costs. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Surface } from '../../../preload/charts/color/palette.ts';
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import { THEMES } from '../../../preload/charts/draw/themes.ts';
import { COSTS } from '../../../preload/charts/plots/costs.ts';
import { byEffect, heatPlot } from '../../../preload/charts/plots/heatPlot.ts';
import { parallelPlot } from '../../../preload/charts/plots/parallelPlot.ts';
import { paretoPlot } from '../../../preload/charts/plots/paretoPlot.ts';
import { trendPlot } from '../../../preload/charts/plots/trendPlot.ts';
import { usualAxes } from '../../../preload/charts/sweep/usualAxes.ts';
import type { MetricCatalog } from '../../../preload/shared/metrics.ts';
import type { Ranking } from '../../../preload/shared/results/rank.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import { FigureError } from './errors.ts';
import { oneOf } from './names.ts';
import type { SweepKind } from './sweepKinds.ts';

export interface SweepPlotOptions {
  /** Setting of x (trend), of the columns (heat), or the cost (pareto). */
  readonly x?: string;
  /** Setting of the lines (trend; `none` for one line) or of the rows (heat). */
  readonly group?: string;
  readonly band: Band;
  readonly xLog?: boolean;
  readonly yLog?: boolean;
  readonly surface: Surface;
  readonly catalog: MetricCatalog;
}

/** @throws FigureError where the sweep has not what the chart needs, or not what was asked for */
export function sweepPlot(kind: SweepKind, ranking: Ranking<RunRecord>, options: SweepPlotOptions): Plot {
  const { surface, catalog, x, group } = options;
  const look = { theme: THEMES[surface], surface };
  const { columns, rows, metric } = ranking;
  if (!rows.some((row) => row.metric.n > 0)) throw new FigureError(`no setting has a number of ${metric} yet`);
  // One per seed of each setting: a rerun is no further sample.
  const runs = rows.flatMap((row) => row.runs);
  const differing = (least: number): void => {
    if (columns.length < least)
      throw new FigureError(
        `--kind ${kind} needs ${least === 1 ? 'a setting that differs' : 'two settings that differ'}; here ${columns.length === 0 ? 'none does' : `only ${columns.join(', ')}`}`,
      );
  };
  if (kind === 'pareto') {
    const names = COSTS.map(({ value }) => value);
    const name = oneOf('--x', x ?? names[0], names);
    return paretoPlot(
      ranking,
      COSTS.find(({ value }) => value === name)!,
      look,
    );
  }
  if (kind === 'parallel') {
    differing(1);
    return parallelPlot(ranking, look);
  }
  if (kind === 'heat') {
    differing(2);
    const effects = byEffect(ranking, runs);
    const column = x === undefined ? effects.find((name) => name !== group)! : oneOf('--x', x, columns);
    const others = columns.filter((name) => name !== column);
    const row = group === undefined ? effects.find((name) => name !== column)! : oneOf('--group', group, others);
    return heatPlot(ranking, runs, { column, row, show: 'mean' }, look);
  }
  differing(1);
  const usual = usualAxes(columns, runs);
  const across = x === undefined ? usual.x : oneOf('--x', x, columns);
  const others = columns.filter((name) => name !== across);
  const usualLines = across === usual.x ? usual.lines : usual.x;
  const lines = group === undefined ? usualLines : group === 'none' ? '' : oneOf('--group', group, ['none', ...others]);
  const { band, xLog, yLog = false } = options;
  return trendPlot(ranking, runs, { x: across, lines, band, yLog, xLog }, catalog, look);
}
