/** The charts of a report: curves of what was measured, and those of the settings. Each in light and dark; the page shows the one that fits. */
import type { RunRecord, SweepRecord } from '../../../../preload/contract/runs.ts';
import { defaultState } from '../../../../preload/charts/board/boardState.ts';
import type { Surface } from '../../../../preload/charts/color/palette.ts';
import type { Plot } from '../../../../preload/charts/draw/plot.ts';
import type { SweepRankings } from '../../../../preload/shared/results/target.ts';
import { drawPlot } from '../../figures/index.ts';
import { runPlot } from '../../figures/runPlot.ts';
import { sweepPlot } from '../../figures/sweepPlot.ts';
import type { SweepKind } from '../../figures/sweepKinds.ts';
import type { ExportJob } from '../exchange.ts';
import { section } from './html.ts';

/** Curves that everybody looks at, beside the metric that ranks. */
const USUAL = ['val/loss', 'train/loss'];
const MOST_CURVES = 4;
/** Behind more lines single runs are only mud. */
const MOST_SINGLES = 60;

const SURFACES: readonly Surface[] = ['light', 'dark'];

/** Drawn one by one, when the page comes to them. */
export function* chartsOf(
  job: ExportJob,
  results: SweepRankings<RunRecord>,
  sweep: SweepRecord | undefined,
): Generator<string> {
  const { runs, catalog } = job;
  const logged = new Set(runs.flatMap(({ id }) => job.metricNames(id)));
  const wanted = job.metrics ?? [...new Set([results.metric, ...USUAL])];
  const metrics = wanted.filter((name) => logged.has(name)).slice(0, MOST_CURVES);
  const figures = metrics.map((metric) =>
    figureOf((surface) =>
      runPlot({ readMany: (ids, name, query = {}) => [...job.curves(ids, name, query)] }, runs, {
        metrics: [metric],
        x: 'step',
        singles: runs.length <= MOST_SINGLES,
        surface,
        catalog,
        spec: sweep?.spec,
        sweepName: (id) => runs.map((run) => job.sweepOf(run)).find((each) => each?.id === id)?.name,
        state: defaultState(),
      }),
    ),
  );
  const [ranking] = results.groups;
  if (ranking.rows.some((row) => row.metric.n > 0)) {
    const kinds: SweepKind[] = [
      ...(ranking.columns.length > 0 ? (['trend'] as const) : []),
      ...(ranking.columns.length > 1 ? (['heat', 'parallel'] as const) : []),
      ...(ranking.rows.length > 1 ? (['pareto'] as const) : []),
    ];
    for (const kind of kinds)
      figures.push(figureOf((surface) => sweepPlot(kind, ranking, { band: 'sd', surface, catalog })));
  }
  yield section('Charts', 'charts', figures.join('') || '<p class="note">Nothing was measured.</p>');
}

const figureOf = (plot: (surface: Surface) => Plot): string =>
  `<figure>${SURFACES.map((surface) => `<div class="${surface}">${drawPlot(plot(surface)).svg}</div>`).join('')}</figure>\n`;
