/** From curves of runs to the lines of a chart: smoothing, groups, ranges, notes. Free of Vue and of drawing. */
import type { DrawnLine, LineModel, Reference } from '../draw/model.ts';
import { aggregate } from '../series/aggregate.ts';
import type { Extent } from '../series/extent.ts';
import { extentOf, padded } from '../series/extent.ts';
import { lowerBound } from '../series/line.ts';
import type { Curve } from '../series/line.ts';
import { smooth } from '../series/smooth.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import type { LiveCurve } from './live.ts';

export interface LineGroup {
  readonly id: string;
  readonly label: string;
  readonly color: string;
  readonly runs: readonly string[];
}

export interface LineModelOptions {
  readonly groups: readonly LineGroup[];
  /** Drawn over the same axes; beyond the first they are told apart by dashes. */
  readonly metrics: readonly string[];
  /** Each group as its mean and band; otherwise one line per run. */
  readonly grouped: boolean;
  readonly curve: (metric: string, run: string) => LiveCurve | undefined;
  readonly band: Band;
  readonly smoothing: number;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly clipOutliers: boolean;
  /** x relative to each run's first point. */
  readonly relative?: boolean;
  /** What is shown of x; everything when absent. */
  readonly xRange?: Extent;
  readonly references?: readonly Reference[];
}

/** A reference line widens the y range when it lies within this share of it. */
const REACH = 0.6;

export function lineModel(options: LineModelOptions): LineModel {
  const lines = options.metrics.flatMap((metric, dash) =>
    options.groups.flatMap((group) => linesOf(group, metric, dash, options)),
  );
  return { lines, ...axesOf(lines, options), references: options.references ?? [], ...notesOf(lines, options) };
}

/** A group's lines of one metric: its mean, or one line per run. */
function linesOf(group: LineGroup, metric: string, dash: number, options: LineModelOptions): DrawnLine[] {
  const { grouped, xLog, smoothing, band, relative } = options;
  const found = group.runs.flatMap((run) => {
    const live = options.curve(metric, run);
    return live === undefined || live.curve.x.length === 0 ? [] : [{ run, live, curve: placed(live.curve, relative) }];
  });
  if (found.length === 0) return [];
  const smoothed = found.map(({ live, curve }) =>
    smoothing > 0 ? smooth(live.step, curve.y, { weight: smoothing, spacing: live.spacing }) : curve.y,
  );
  const several = options.metrics.length > 1;
  const look = (id: string): Pick<DrawnLine, 'id' | 'group' | 'label' | 'color' | 'dash'> => ({
    id: several ? `${id}|${metric}` : id,
    group: id,
    label: several ? `${group.label} · ${metric}` : group.label,
    color: group.color,
    ...(dash > 0 ? { dash } : {}),
  });
  if (!grouped)
    return found.map(({ run, live, curve }, i) => ({
      ...look(run),
      x: curve.x,
      y: smoothed[i],
      ...(smoothing > 0 ? { raw: curve.y } : {}),
      ...(live.bucket > 1 ? { low: curve.min, high: curve.max } : {}),
      increasing: live.increasing,
    }));
  const mean = aggregate(
    found.map(({ curve }, i): Curve => ({
      ...curve,
      y: smoothed[i],
      ...(smoothing > 0 ? { min: smoothed[i], max: smoothed[i] } : {}),
    })),
    band,
    xLog,
  );
  return [
    {
      ...look(group.id),
      x: mean.x,
      y: mean.mean,
      ...(band === 'none' || mean.runs < 2 ? {} : { low: mean.low, high: mean.high }),
      n: mean.n,
      runs: mean.runs,
      increasing: found.every(({ live }) => live.increasing),
    },
  ];
}

function placed(curve: Curve, relative = false): Curve {
  if (!relative || curve.x.length === 0) return curve;
  const first = curve.x[0];
  return { ...curve, x: curve.x.map((v) => v - first) };
}

function axesOf(lines: readonly DrawnLine[], options: LineModelOptions): Pick<LineModel, 'x' | 'y'> {
  const { xRange, xLabel, yLabel, xLog, yLog, clipOutliers, references = [] } = options;
  const wholeX =
    xRange ??
    extentOf(
      lines.map(({ x }) => x),
      { log: xLog },
    );
  const x = wholeX === undefined || !(wholeX.max > wholeX.min) ? widened(wholeX, xLog) : wholeX;
  let extent: Extent | undefined = extentOf(
    lines.flatMap((line) => visible(line, x)),
    { log: yLog, clip: clipOutliers },
  );
  if (extent !== undefined)
    for (const { value } of references) {
      const near = REACH * (extent.max - extent.min);
      if ((yLog && value <= 0) || value < extent.min - near || value > extent.max + near) continue;
      extent = { min: Math.min(extent.min, value), max: Math.max(extent.max, value) };
    }
  const y = padded(extent ?? (yLog ? { min: 0.1, max: 10 } : { min: 0, max: 1 }), yLog);
  return { x: { label: xLabel, log: xLog, min: x.min, max: x.max }, y: { label: yLabel, log: yLog, ...y } };
}

function widened(extent: Extent | undefined, log: boolean): Extent {
  if (extent === undefined) return log ? { min: 1, max: 10 } : { min: 0, max: 1 };
  return log ? { min: extent.min / 1.5, max: extent.max * 1.5 } : { min: extent.min - 0.5, max: extent.max + 0.5 };
}

/** The y values that count for the y range: those inside the shown x; bands too, but never the faint raw line alone. */
function visible(line: DrawnLine, x: Extent): Float64Array[] {
  const columns = [
    line.y,
    ...(line.n !== undefined && line.low !== undefined ? [line.low, line.high!] : []),
    ...(line.raw !== undefined ? [line.raw] : []),
  ];
  if (line.x[0] >= x.min && line.x[line.x.length - 1] <= x.max) return columns;
  if (line.increasing) {
    const from = lowerBound(line.x, x.min);
    let to = lowerBound(line.x, x.max);
    if (line.x[to] === x.max) to++;
    return columns.map((column) => column.subarray(from, to));
  }
  return columns.map((column) => column.filter((_, i) => line.x[i] >= x.min && line.x[i] <= x.max));
}

function notesOf(
  lines: readonly DrawnLine[],
  { xLog, yLog, clipOutliers }: LineModelOptions,
): Pick<LineModel, 'notes'> {
  const notes: string[] = [];
  const x = xLog
    ? (extentOf(
        lines.map((line) => line.x),
        { log: true },
      )?.notPositive ?? countAll(lines))
    : 0;
  if (x > 0) notes.push(`${counted(x, 'point')} with x ≤ 0 cannot be shown on a logarithmic axis`);
  const y = extentOf(
    lines.map((line) => line.raw ?? line.y),
    { log: yLog, clip: clipOutliers },
  );
  const notPositive = yLog ? (y?.notPositive ?? countAll(lines)) : 0;
  if (notPositive > 0) notes.push(`${counted(notPositive, 'value')} ≤ 0 cannot be shown on a logarithmic axis`);
  if (y !== undefined && y.clipped > 0) notes.push(`${counted(y.clipped, 'outlying value')} beyond the frame`);
  const gaps = lines.reduce(
    (sum, line) => sum + line.y.reduce((count, v) => count + (Number.isFinite(v) ? 0 : 1), 0),
    0,
  );
  if (gaps > 0)
    notes.push(`${counted(gaps, 'value')} that ${gaps === 1 ? 'is not finite is a gap' : 'are not finite are gaps'}`);
  return { notes };
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

function countAll(lines: readonly DrawnLine[]): number {
  return lines.reduce((sum, line) => sum + line.y.length, 0);
}
