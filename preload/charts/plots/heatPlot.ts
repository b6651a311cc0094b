/** A heat map of a sweep with what must be said of it, and its numbers. */
import type { RunRecord } from '../../contract/runs.ts';
import { csvTable } from '../../shared/csv.ts';
import type { Ranking } from '../../shared/results/rank.ts';
import { resultValue } from '../../shared/results/samples.ts';
import type { Plot } from '../draw/plot.ts';
import { heatScript } from '../draw/script.ts';
import { mainEffects } from '../stats/importance.ts';
import { heatOption } from '../sweep/heatOption.ts';
import { heatMap } from '../sweep/heatmap.ts';
import type { HeatMap } from '../sweep/heatmap.ts';
import type { Look } from '../sweep/look.ts';

/** Settings by how much of the metric they explain: the first two come first, as the others are averaged over. */
export const byEffect = ({ columns, metric }: Ranking, runs: readonly RunRecord[]): string[] =>
  mainEffects(
    runs.map(({ config }) => config),
    runs.map((run) => resultValue(run, metric)),
    columns,
  );

export interface HeatChoice {
  readonly column: string;
  readonly row: string;
  readonly show: 'mean' | 'best';
}

export interface HeatPlot extends Plot {
  readonly map: HeatMap;
}

/** @param runs one per seed of each setting */
export function heatPlot(ranking: Ranking, runs: readonly RunRecord[], choice: HeatChoice, look: Look): HeatPlot {
  const { column, row, show } = choice;
  const map = heatMap(runs, ranking.metric, column, row, show, ranking.goal, ranking.rows[0]?.unit ?? '');
  const over = map.averaged.length === 0 ? 'seeds' : `seeds and ${map.averaged.join(', ')}`;
  const what = show === 'mean' ? `Mean ± sd (n − 1) of ${ranking.metric} over ${over}` : 'Best run of each cell';
  const unequal =
    map.unbalanced.length === 0 ? '' : ` Not balanced: cells have unequal shares of ${map.unbalanced.join(' and ')}.`;
  const title = `${ranking.metric} over ${column} and ${row}`;
  const notes = [`${what}. Stronger is better.${unequal}`];
  return {
    map,
    title,
    theme: look.theme,
    panels: [{ title: '', option: ({ width }) => heatOption(map, ranking.goal, [column, row], look, width, show) }],
    legend: [],
    notes,
    csv: () =>
      csvTable(
        [column, row, 'mean', 'sd (n-1)', 'N', 'min', 'max', 'runs'],
        map.cells.map((cell) => [
          map.columns[cell.column],
          map.rows[cell.row],
          cell.metric.mean,
          cell.metric.sd,
          cell.metric.n,
          cell.metric.min,
          cell.metric.max,
          cell.runs.length,
        ]),
      ),
    script: () => heatScript({ title, notes }, ranking.goal === 'maximize', show),
  };
}
