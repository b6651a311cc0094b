/** From curves of runs to the lines of a chart: smoothing, groups, ranges, notes. Free of Vue and of drawing. */
import type { AxisModel, DrawnLine, LineModel, Reference } from '../draw/model.ts';
import { TICK_UNITS } from '../format.ts';
import { aggregate } from '../series/aggregate.ts';
import type { Outlying } from '../series/bulk.ts';
import type { Extent } from '../series/extent.ts';
import { extentOf, LARGEST } from '../series/extent.ts';
import { withoutFar } from '../series/far.ts';
import type { Curve } from '../series/line.ts';
import { smooth } from '../series/smooth.ts';
import type { Band } from '../../shared/statistics/describe.ts';
import { outsideOf, yAxesOf } from './frame.ts';
import type { YFrame } from './frame.ts';
import type { RunCurve } from './live.ts';
import { Window } from './window.ts';

export interface LineGroup {
  readonly id: string;
  readonly label: string;
  readonly color: string;
  /** How often its colour was used before: told apart by dashes, where these do not say the metric. */
  readonly cycle?: number;
  readonly runs: readonly string[];
}

/** What the y axis follows from, beside the lines. */
export interface FrameChoices {
  readonly yLabel: string;
  readonly yUnit?: string;
  readonly yLog: boolean;
  readonly clipOutliers: boolean;
  readonly outlying?: Outlying;
  readonly references?: readonly Reference[];
  /** Of the metrics that have another unit: those of `metrics`. */
  readonly right?: Pick<FrameChoices, 'yLabel' | 'yUnit' | 'outlying' | 'references'> & {
    readonly metrics: readonly string[];
  };
}

/** What lines are made of curves by. */
export interface LinesOptions {
  /** Drawn over the same axes; beyond the first they are told apart by dashes. */
  readonly metrics: readonly string[];
  /** How they are called; by themselves unless given. */
  readonly name?: (metric: string) => string;
  /** Each group as its mean and band; otherwise one line per run. */
  readonly grouped: boolean;
  readonly curve: (metric: string, run: string) => RunCurve | undefined;
  /** Runs that are known to have diverged: frames are not found by them. */
  readonly diverged?: ReadonlySet<string>;
  readonly band: Band;
  /** Each run is drawn faintly behind the mean of its group, under the name that this gives it. */
  readonly singles?: (run: string) => string;
  readonly smoothing: number;
  readonly xLog: boolean;
  /** x relative to each run's first point. */
  readonly relative?: boolean;
  /** Which metrics are read from the right-hand axis. */
  readonly right?: { readonly metrics: readonly string[] };
  /** The lines reach no further than this part of x needs. */
  readonly window?: Window;
}

export interface LineModelOptions extends Omit<LinesOptions, 'window' | 'right'>, FrameChoices {
  readonly groups: readonly LineGroup[];
  readonly xLabel: string;
  readonly xUnit?: string;
  /** x is counted or timed: a run may well be a million times as long as another. */
  readonly xExact?: boolean;
  /** What is shown of x; everything when absent. */
  readonly xRange?: Extent;
  /** Lines go on beyond what is shown: for numbers in a file. */
  readonly entire?: boolean;
  /** How far x will go when the runs that train have done what they shall. */
  readonly planned?: number;
}

export function lineModel(options: LineModelOptions): LineModel {
  const { xRange, entire } = options;
  const window = xRange === undefined || entire ? undefined : new Window(xRange);
  const lines = options.metrics.flatMap((metric, dash) =>
    options.groups.flatMap((group) => linesOf(group, metric, dash, { ...options, window })),
  );
  const x = xAxisOf(lines, options);
  const axes = yAxesOf(lines, x, yFrameOf(options));
  return { lines, x, ...axes, references: referencesOf(options), notes: [], outside: outsideOf(lines, x, axes) };
}

const referencesOf = ({ references = [], right }: FrameChoices): Reference[] => [
  ...references,
  ...(right?.references ?? []).map((each): Reference => ({ ...each, label: `${each.label} (right)`, right: true })),
];

export const yFrameOf = ({ yLabel, yLog, yUnit, clipOutliers, outlying, references, right }: FrameChoices): YFrame => ({
  label: yLabel,
  log: yLog,
  unit: yUnit,
  clip: clipOutliers,
  outlying,
  references,
  ...(right === undefined ? {} : { right: yFrameOf({ ...right, yLog, clipOutliers, right: undefined }) }),
});

/** A group's lines of one metric: its mean, or one line per run. `dash` counts the metrics. */
export function linesOf(group: LineGroup, metric: string, dash: number, options: LinesOptions): DrawnLine[] {
  const { grouped, xLog, smoothing, band } = options;
  const found = foundOf(group, metric, options);
  if (found.length === 0) return [];
  const several = options.metrics.length > 1;
  const strokes = several ? dash : (group.cycle ?? 0);
  const look = (id: string): Pick<DrawnLine, 'id' | 'group' | 'label' | 'color' | 'dash' | 'right'> => ({
    id: several ? `${id}|${metric}` : id,
    group: id,
    label: several ? `${group.label} · ${options.name?.(metric) ?? metric}` : group.label,
    color: group.color,
    ...(strokes > 0 ? { dash: strokes } : {}),
    ...(options.right?.metrics.includes(metric) ? { right: true } : {}),
  });
  if (!grouped)
    return found.map(({ run, live, curve, smoothed }) => ({
      ...look(run),
      x: curve.x,
      y: smoothed,
      ...(smoothing > 0 ? { raw: curve.y } : {}),
      ...(live.bucket > 1 ? { reduced: true } : {}),
      increasing: live.increasing,
      ...(options.diverged?.has(run) ? { sound: [] } : {}),
      // Of hundreds of lines nobody looks at the envelopes, which then need not be put together.
      get low() {
        return isReduced(live) ? curve.min : undefined;
      },
      get high() {
        return isReduced(live) ? curve.max : undefined;
      },
    }));
  // While envelopes are on their way, the range of reduced values would be too narrow.
  const bandless = band === 'none' || (needsEnvelopes(true, band) && found.some(({ live }) => live.bare));
  const mean = aggregate(
    found.map(({ curve, smoothed }): Curve =>
      smoothing > 0 ? { x: curve.x, y: smoothed, min: smoothed, max: smoothed } : curve,
    ),
    band,
    xLog,
  );
  const { singles } = options;
  const faint =
    singles === undefined || found.length < 2
      ? []
      : found.map(({ run, live, curve, smoothed }): DrawnLine => ({
          ...look(group.id),
          id: several ? `${run}|${metric}` : run,
          label: `${look(group.id).label} · ${singles(run)}`,
          faint: true,
          x: curve.x,
          y: smoothed,
          ...(live.bucket > 1 ? { reduced: true } : {}),
          increasing: live.increasing,
          ...(options.diverged?.has(run) ? { sound: [] } : {}),
        }));
  return [
    ...faint,
    {
      ...look(group.id),
      x: mean.x,
      y: mean.mean,
      ...(bandless || mean.runs < 2 ? {} : { low: mean.low, high: mean.high }),
      n: mean.n,
      runs: mean.runs,
      ...(found.some(({ live }) => live.bucket > 1) ? { reduced: true } : {}),
      increasing: found.every(({ live }) => live.increasing),
      ...(found.some(({ run }) => options.diverged?.has(run)) ? { sound: soundOf(found, options) } : {}),
    },
  ];
}

const soundOf = (found: readonly Found[], { diverged }: LinesOptions): DrawnLine['sound'] =>
  found
    .filter(({ run }) => !diverged?.has(run))
    .map(({ live, curve, smoothed }) => ({ x: curve.x, y: smoothed, increasing: live.increasing }));

/** Whether lines show the envelopes of reduced curves. */
export const needsEnvelopes = (grouped: boolean, band: Band): boolean => !grouped || band === 'minmax';

const isReduced = ({ bucket, bare }: RunCurve): boolean => bucket > 1 && !bare;

interface Found {
  readonly run: string;
  readonly live: RunCurve;
  readonly curve: Curve;
  readonly smoothed: Float64Array;
}

/** The curves of a group's runs that have points, smoothed as asked, no longer than the window needs. */
function foundOf(group: LineGroup, metric: string, options: LinesOptions): Found[] {
  const { smoothing, relative, curve: curveOf, window } = options;
  const lives = group.runs.flatMap((run) => {
    const live = curveOf(metric, run);
    return live === undefined || live.curve.x.length === 0 ? [] : [{ run, live }];
  });
  // Where x goes back and forth points belong together by their number.
  const cut = lives.every(({ live }) => live.increasing) ? window : undefined;
  return lives.map(({ run, live }) => {
    if (smoothing === 0 && !relative && cut !== undefined) {
      const curve = cut.of(cut.within(live.near.x, live.curve.x) ? live.near : live.curve);
      return { run, live, curve, smoothed: curve.y };
    }
    const whole = placed(live.curve, relative);
    if (smoothing === 0) {
      const curve = cut?.of(whole) ?? whole;
      return { run, live, curve, smoothed: curve.y };
    }
    // An average needs what was before.
    const smoothed = smooth(live.step, whole.y, { weight: smoothing, spacing: live.spacing });
    return cut === undefined
      ? { run, live, curve: whole, smoothed }
      : { run, live, curve: cut.of(whole), smoothed: cut.column(whole.x, smoothed) };
  });
}

function placed(curve: Curve, relative = false): Curve {
  if (!relative || curve.x.length === 0) return curve;
  const first = curve.x[0];
  return {
    x: curve.x.map((v) => v - first),
    y: curve.y,
    get min() {
      return curve.min;
    },
    get max() {
      return curve.max;
    },
  };
}

/** So many times the rest is too far to be shown beside it, and would flatten it: of any numbers, and of what is counted or timed. */
const FAR = { any: 1e6, exact: 1e9 };

function xAxisOf(lines: readonly DrawnLine[], options: LineModelOptions): AxisModel {
  const { xRange, xLabel, xLog, xUnit, xExact = false, planned, clipOutliers } = options;
  const axis = { label: xLabel, log: xLog, ...(xUnit === undefined ? {} : { unit: xUnit }) };
  if (xRange !== undefined) return { ...axis, ...someWidth(xRange, xLog) };
  const far = clipOutliers ? FAR[xExact ? 'exact' : 'any'] : Infinity;
  const all = lines.map(({ x }) => x);
  // Runs that share their x weigh alike.
  const columns = all.every((x) => x === all[0]) ? all.slice(0, 1) : all;
  const found = withoutFar(columns, xLog, far) ?? extentOf(columns, { log: xLog });
  const whole = found === undefined || planned === undefined ? found : { ...found, max: Math.max(found.max, planned) };
  return {
    ...axis,
    ...someWidth(whole, xLog),
    far,
    ...(whole === undefined ? { blank: true } : {}),
    // At 50k alone, 49.999k and 50.001k would be numbers that nobody asked for.
    ...(whole !== undefined && whole.min === whole.max && !TICK_UNITS.has(xUnit ?? '') ? { ticks: [whole.min] } : {}),
  };
}

const someWidth = (extent: Extent | undefined, log: boolean): Extent => {
  const { min, max } = extent === undefined || !(extent.max > extent.min) ? widened(extent, log) : extent;
  return { min: Math.max(-LARGEST, min), max: Math.min(LARGEST, max) };
};

function widened(extent: Extent | undefined, log: boolean): Extent {
  if (extent === undefined) return log ? { min: 1, max: 10 } : { min: 0, max: 1 };
  if (log) return { min: extent.min / 1.5, max: extent.max * 1.5 };
  // Steps, tokens and times begin at 0: there is nothing before it.
  return { min: extent.min >= 0 ? Math.max(0, extent.min - 1) : extent.min - 1, max: extent.max + 1 };
}
