/** From a chart's description and the curves at hand to what is drawn: one pair of axes, or one per facet. Free of Vue and of drawing. */
import type { RunRecord } from '../../contract/runs.ts';
import { placeOf as layerOf } from '../../shared/metricPlace.ts';
import { PLACE_KINDS } from '../../shared/placeKinds.ts';
import { briefSetting } from '../../shared/format.ts';
import type { Goal, MetricCatalog } from '../../shared/metrics.ts';
import { BAND_LABELS } from '../../shared/statistics/describe.ts';
import type { Band } from '../../shared/statistics/describe.ts';
import { hasDiverged } from '../../shared/results/endings.ts';
import { shortName } from '../../shared/results/groups.ts';
import { distinctSeeds } from '../../shared/results/samples.ts';
import type { Target } from '../../shared/results/target.ts';
import { withUnit } from '../format.ts';
import { facetsOf, MOST_FACETS, withSharedAxes } from '../data/facets.ts';
import { lineModel, yFrameOf } from '../data/lineModel.ts';
import type { FrameChoices } from '../data/lineModel.ts';
import type { RunCurve } from '../data/live.ts';
import type { LineModel, Reference } from '../draw/model.ts';
import type { Outlying } from '../series/bulk.ts';
import type { Extent } from '../series/extent.ts';
import type { BoardState } from './boardState.ts';
import { drawnChart, sidesOf } from './chartSides.ts';
import type { ChartSide } from './chartSides.ts';
import { SETTING } from './chartSpec.ts';
import type { ChartLook, ChartSpec } from './chartSpec.ts';
import type { BoardGroup, Coloring } from './groups.ts';
import { axisOfPlaces, nameOf, PLACES } from './placedCharts.ts';
import { trendModel } from './trendModel.ts';

/** One pair of axes: the whole chart, or one of its facets. */
export interface Panel {
  readonly key: string;
  /** Value of the setting; empty for the whole chart. */
  readonly title: string;
  readonly model: LineModel;
}

export interface ChartPanels {
  readonly panels: readonly Panel[];
  /** Facets that are not drawn, because there are too many. */
  readonly left: number;
}

/** What a board says to all of its charts. */
export interface ChartBoard {
  readonly groups: readonly BoardGroup[];
  /** Runs that are shown, with their latest numbers. */
  readonly final: readonly RunRecord[];
  /** Settings that differ. */
  readonly settings: readonly string[];
  readonly coloring: Coloring;
  readonly state: Pick<BoardState, 'band' | 'groupBy' | 'facet'>;
  readonly catalog: MetricCatalog;
  /** By what the runs are ranked. */
  readonly target?: Target;
  references(metric: string): readonly Reference[];
  readonly averaging?: readonly string[];
  /** How far the runs that train now shall go on x (undefined: steps); undefined when that is not known, or all have ended. */
  planned?(x: string | undefined | null): number | undefined;
}

export interface ChartInput {
  readonly chart: ChartSpec;
  readonly look: ChartLook;
  readonly range: Extent | undefined;
  readonly board: ChartBoard;
  curve(metric: string, run: string): RunCurve | undefined;
  /** Lines go on beyond the range: for numbers in a file. */
  readonly entire?: boolean;
  /** Single runs are drawn behind the means of groups. */
  readonly singles?: boolean;
}

/** Where a chart's points lie: on the metric (null: its points are final values over a setting; undefined: over the step), and its label. */
export function placeOf(
  x: string,
  catalog: MetricCatalog,
): { metric: string | undefined | null; setting: string | undefined; label: string } {
  if (x.startsWith(SETTING)) {
    const setting = x.slice(SETTING.length);
    return { metric: null, setting, label: setting };
  }
  if (x === 'relative') return { metric: 'seconds', setting: undefined, label: 'seconds since the start' };
  if (x === PLACES) return { metric: PLACES, setting: undefined, label: 'places' };
  if (x === 'step') return { metric: undefined, setting: undefined, label: x };
  return { metric: x, setting: undefined, label: catalog.get(x).axis ?? x };
}

/** The unit that all metrics of a chart share; empty when they share none. */
export function unitOfChart({ metrics }: ChartSpec, catalog: MetricCatalog): string {
  const [unit, ...others] = new Set(metrics.map((name) => catalog.get(name).unit));
  return others.length === 0 ? unit : '';
}

/** Whether all metrics of a chart are best seen on a logarithmic axis. */
export const growsByFactors = ({ metrics }: ChartSpec, catalog: MetricCatalog): boolean =>
  metrics.every((name) => catalog.get(name).log === true);

/** Which values of a metric are the best: as the runs of a board are ranked, else as it is known; undefined where neither direction is. */
export function goalOf(metric: string, target: Target | undefined, catalog: MetricCatalog): Goal | undefined {
  if (metric === target?.name) return target.goal;
  return catalog.get(metric).better === undefined ? undefined : catalog.goal(metric);
}

/** `val/loss and train/loss` */
export function titleOf({ metrics }: Pick<ChartSpec, 'metrics'>, catalog: MetricCatalog): string {
  const places = metrics.map(layerOf);
  const { name, layer } = places[0] ?? { name: '' };
  const { by = 'layer' } = catalog.get(name);
  // One metric in several places.
  if (metrics.length > 1 && layer !== undefined && places.every((place) => place.name === name)) {
    const { many, byFactors, word } = PLACE_KINDS[by];
    const each = places.map((place) => {
      if (byFactors) return word(place.layer!);
      return place.head === undefined ? place.layer : `${place.layer}.${place.head}`;
    });
    return `${name}, ${many} ${each.join(', ')}`;
  }
  const names = metrics.map((each) => nameOf(each, catalog));
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const STROKES = ['solid', 'dashed', 'dotted', 'dashed and dotted', 'dashed and twice dotted', 'in long dashes'];

/**
 * For who cannot see the samples beside the title: `solid: val/loss · dashed: train/loss`. Empty for a chart of one metric.
 * @param onRight those that have an axis of their own
 */
export const strokesOf = ({ metrics }: ChartSpec, catalog: MetricCatalog, onRight: readonly string[] = []): string =>
  metrics.length < 2
    ? ''
    : metrics
        .map(
          (name, i) =>
            `${STROKES[i % STROKES.length]}: ${nameOf(name, catalog)}${onRight.includes(name) ? ' (right axis)' : ''}`,
        )
        .join(' · ');

/** With the unit, where there is one. */
export const labelOfChart = (chart: ChartSpec, catalog: MetricCatalog): string =>
  withUnit(titleOf(chart, catalog), unitOfChart(chart, catalog));

/** What a picture or a file of numbers must say beside the lines: of what they are means, what the bands are, and how they were smoothed. */
export function figureNotes({ lines }: Pick<LineModel, 'lines'>, band: Band, smoothing: number): string[] {
  const notes: string[] = [];
  const means = lines.filter(({ n, markers }) => n !== undefined && !markers);
  if (means.length > 0) {
    const counts = means.flatMap(({ n }) => [...n!]).filter((count) => count > 0);
    const least = counts.reduce((a, b) => Math.min(a, b), Infinity);
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    const what = most > 1 && band !== 'none' ? `lines: means, bands: ${BAND_LABELS[band]}` : 'lines: means';
    if (counts.length > 0) notes.push(`${what}, N ${least === most ? most : `${least}–${most}`}`);
    if (lines.some(({ faint }) => faint)) notes.push('faint: single runs');
  }
  if (smoothing > 0 && lines.some(({ markers }) => !markers))
    notes.push(`smoothed: exponential average of weight ${smoothing.toFixed(2)}`);
  return notes;
}

export function chartPanels(given: ChartInput): ChartPanels {
  const input = { ...given, chart: drawnChart(given.chart, given.board.catalog, given.look.x) };
  const { groups, final, settings, state } = input.board;
  const { facet } = state;
  if (facet === '' || !settings.includes(facet))
    return { panels: [{ key: '', title: '', model: modelOf(input, groups, final) }], left: 0 };
  const facets = facetsOf<RunRecord, BoardGroup>(groups, facet);
  const drawn = facets.slice(0, MOST_FACETS);
  const latest = new Map(final.map((run) => [run.id, run]));
  const models = withSharedAxes(
    drawn.map((each) => modelOf(input, each.groups, each.runs.map(({ id }) => latest.get(id)!).filter(Boolean))),
    yFrameOf(frameOf(input)),
  );
  const name = shortName(facet, settings);
  return {
    panels: drawn.map(({ key, value }, i) => ({
      key,
      title: value === undefined ? `${name} not set` : `${name} ${briefSetting(value)}`,
      model: models[i],
    })),
    left: facets.length - drawn.length,
  };
}

function modelOf(input: ChartInput, groups: readonly BoardGroup[], runs: readonly RunRecord[]): LineModel {
  const model = drawnModel(input, groups, runs);
  const { target, catalog } = input.board;
  const goals = new Set(input.chart.metrics.map((name) => goalOf(name, target, catalog)));
  return goals.size === 1 && goals.has('maximize') ? { ...model, higherBetter: true } : model;
}

function drawnModel(input: ChartInput, groups: readonly BoardGroup[], runs: readonly RunRecord[]): LineModel {
  const { chart, look, range, board, curve, entire } = input;
  const { band, groupBy, facet } = board.state;
  const { metric, setting, label } = placeOf(look.x, board.catalog);
  const frame = frameOf(input);
  if (setting !== undefined)
    return trendModel({
      runs: distinctSeeds(runs),
      metrics: chart.metrics,
      setting,
      lines: groupBy === 'none' ? [] : board.settings.filter((name) => name !== setting && name !== facet),
      band,
      xLog: look.xLog || undefined,
      ...frame,
      color: (members) => board.coloring.of(members),
      among: board.final,
    });
  const xUnit = metric == null ? 'step' : metric === PLACES ? '' : board.catalog.get(metric).unit;
  const model = lineModel({
    groups,
    metrics: chart.metrics,
    grouped: groupBy !== 'none',
    curve,
    diverged: new Set(board.final.filter(hasDiverged).map(({ id }) => id)),
    band,
    ...(input.singles ? { singles: singleName(runs) } : {}),
    smoothing: metric === PLACES ? 0 : look.smoothing,
    ...frame,
    xLabel: metric === PLACES ? axisOfPlaces(chart.metrics, board.catalog) : label,
    name: (address) => nameOf(address, board.catalog),
    xUnit,
    xExact: xUnit === 'step' || EXACT.has(xUnit),
    xLog: look.xLog,
    relative: look.x === 'relative',
    xRange: range,
    entire,
    planned: board.planned?.(metric),
  });
  return { ...model, notes: [...(board.averaging ?? []), ...model.notes] };
}

/** Its seed, and of runs that share it the name. */
function singleName(runs: readonly RunRecord[]): (id: string) => string {
  const names = new Map(runs.map(({ id, name, seed }) => [id, `seed ${seed} · ${name}`]));
  return (id) => names.get(id) ?? id;
}

/** The y axis of a chart, whatever its x. */
function frameOf({ chart, look, board }: ChartInput): FrameChoices {
  const { left, right } = sidesOf(chart, board.catalog);
  return {
    ...sideOf(left, board),
    yLog: look.yLog,
    clipOutliers: look.outliers,
    ...(right === undefined ? {} : { right: { ...sideOf(right, board), metrics: right.metrics } }),
  };
}

const sideOf = (side: ChartSide, board: ChartBoard) => ({
  yLabel: withUnit(titleOf(side, board.catalog), side.unit),
  yUnit: side.unit,
  outlying: outlyingOf(side, board.catalog),
  references: referencesOf(side, board),
});

/** Units of what is counted or timed: such numbers do not diverge, and one that is far from the others is as true as they are. */
const EXACT: ReadonlySet<string> = new Set(['share', 'bytes', 's', 'tokens', 'tokens/s', 'FLOP']);

function outlyingOf({ metrics }: ChartSide, catalog: MetricCatalog): Outlying | undefined {
  const [side, ...others] = new Set(
    metrics.map((name): Outlying | undefined => {
      const { unit, better } = catalog.get(name);
      if (EXACT.has(unit)) return undefined;
      return better === undefined ? 'far' : better === 'lower' ? 'above' : 'below';
    }),
  );
  return others.length === 0 ? side : 'far';
}

/** Those of all metrics; one that several share (the entropy of the text) once. */
function referencesOf({ metrics }: ChartSide, board: ChartBoard): Reference[] {
  const found = metrics.flatMap((metric) => board.references(metric));
  return found.filter(({ label }, i) => found.findIndex((each) => each.label === label) === i);
}
