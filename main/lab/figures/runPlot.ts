/** A chart of a board from runs in the database: curves over any x, or final values over a setting. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { coloredBy, figureWords, saidOf } from '../../../preload/charts/board/chartFigure.ts';
import { chartPanels, growsByFactors, placeOf } from '../../../preload/charts/board/chartModel.ts';
import type { ChartInput } from '../../../preload/charts/board/chartModel.ts';
import { drawnPlaces, isByFactors, metricsOverPlaces, PLACES } from '../../../preload/charts/board/placedCharts.ts';
import { plainBoard } from '../../../preload/charts/board/plainBoard.ts';
import type { PlainBoard } from '../../../preload/charts/board/plainBoard.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import { curveOfPlaces } from '../../../preload/charts/data/places.ts';
import { needsEnvelopes } from '../../../preload/charts/data/lineModel.ts';
import { csvOf } from '../../../preload/charts/draw/csv.ts';
import { lineOption } from '../../../preload/charts/draw/lineOption.ts';
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import { linesScript } from '../../../preload/charts/draw/script.ts';
import { THEMES } from '../../../preload/charts/draw/themes.ts';
import type { Extent } from '../../../preload/charts/series/extent.ts';
import type { Store } from '../../store/index.ts';

export interface RunPlotOptions extends PlainBoard {
  /** On the same axes; at least one. */
  readonly metrics: readonly string[];
  /** `step`, a metric, `relative`, `setting:NAME`, or all places of the metrics (`PLACES`). */
  readonly x: string;
  readonly xLog?: boolean;
  /** Where nobody says, as the metric is best seen. */
  readonly yLog?: boolean;
  readonly smoothing?: number;
  /** What is shown of x; to the ends of the curves where one is absent. */
  readonly range?: Partial<Extent>;
  /** Values far from all others widen the frame as well. */
  readonly everything?: boolean;
  /** Single runs behind the means. */
  readonly singles?: boolean;
  /** Which runs were chosen, in words. */
  readonly filter?: string;
}

/** More points of a line are seen by nobody, and make a file that no program likes to open. */
const POINTS_PER_RUN = 1000;
const POINTS_PER_PLOT = 100_000;
/** A part of x is drawn from curves that are so many times finer. */
const ZOOMED = 8;
/** Of a place the latest value is drawn. */
const FEWEST = 3;

/** Places are read for charts over them alone. */
export type CurveSource = Pick<Store, 'readMany'> & Partial<Pick<Store, 'readPlaces'>>;

export function runPlot(store: CurveSource, runs: readonly RunRecord[], options: RunPlotOptions): Plot {
  const { x, range: asked, singles, smoothing = 0 } = options;
  const board = plainBoard(runs, options);
  const { catalog, state } = board;
  const configs = runs.map(({ config }) => config);
  const metrics = drawnPlaces(options.metrics, x, catalog, configs);
  const chart = { id: metrics[0], kind: 'lines' as const, metrics };
  const look = {
    x,
    xLog: options.xLog ?? (x === PLACES && isByFactors(metrics, catalog)),
    yLog: options.yLog ?? growsByFactors(chart, catalog),
    smoothing,
    outliers: options.everything !== true,
  };
  const { metric: xMetric } = placeOf(x, catalog);
  const drawn = board.groups.flatMap((group) => group.runs);
  const curves = new Map<string, LiveCurve>();
  const share = Math.max(100, Math.min(POINTS_PER_RUN, POINTS_PER_PLOT / Math.max(1, drawn.length)));
  const maxPoints = Math.round(asked === undefined ? share : share * ZOOMED);
  if (xMetric === PLACES)
    for (const metric of metricsOverPlaces(metrics, catalog))
      for (const run of drawn) {
        const places = store.readPlaces?.(run, metric, FEWEST);
        if (places !== undefined) curves.set(`${metric} ${run}`, new LiveCurve(curveOfPlaces(places), PLACES));
      }
  else if (xMetric !== null)
    for (const metric of metrics) {
      const found = store.readMany(drawn, metric, {
        maxPoints,
        loggedUpTo: 2 * maxPoints,
        envelopes: singles === true || needsEnvelopes(state.groupBy !== 'none', state.band),
        ...(xMetric === undefined ? {} : { x: xMetric }),
      });
      for (const [i, series] of found.entries()) curves.set(`${metric} ${drawn[i]}`, new LiveCurve(series, xMetric));
    }
  const range = asked === undefined ? undefined : { ...endsOf([...curves.values()]), ...asked };
  const input: ChartInput = {
    chart,
    look,
    range,
    board,
    curve: (metric, run) => curves.get(`${metric} ${run}`),
    ...(singles ? { singles } : {}),
  };
  const panels = chartPanels(input);
  const colored = coloredBy(options.state.colorBy, board.coloring, board.settings);
  const described = { chart, look, catalog, band: state.band, facet: state.facet, filter: options.filter, colored };
  const theme = THEMES[options.surface];
  const words = figureWords(panels, described);
  return {
    ...words,
    theme,
    panels: panels.panels.map(({ title, model }) => ({
      title,
      option: ({ width, height }) => lineOption(model, theme, width, height),
    })),
    csv: () => {
      const entire = chartPanels({ ...input, entire: true }).panels;
      return csvOf(
        entire,
        saidOf(
          entire.flatMap(({ model }) => model.lines),
          described,
        ),
      );
    },
    script: () => linesScript(words, panels.panels),
  };
}

function endsOf(curves: readonly LiveCurve[]): Extent {
  const ends = { min: Infinity, max: -Infinity };
  for (const { curve } of curves)
    for (const x of [curve.x[0], curve.x.at(-1)])
      if (x !== undefined) Object.assign(ends, { min: Math.min(ends.min, x), max: Math.max(ends.max, x) });
  return ends.max > ends.min ? ends : { min: 0, max: 1 };
}
