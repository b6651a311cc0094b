/** The part of the plane that a chart shows: its axes, and in words what lies outside of them. */
import { counted, formatInUnit, formatValue } from '../../shared/format.ts';
import type { AxisModel, DrawnLine, LineModel, Reference } from '../draw/model.ts';
import { bulkOf, frameBy } from '../series/bulk.ts';
import type { Outlying } from '../series/bulk.ts';
import { extentOf, padded, tame } from '../series/extent.ts';
import type { Extent } from '../series/extent.ts';
import { lowerBound } from '../series/line.ts';

export interface YFrame {
  readonly label: string;
  readonly log: boolean;
  readonly unit?: string;
  /** Leaves out what would flatten all the rest. */
  readonly clip: boolean;
  /** Where values may be left out; nowhere when absent. */
  readonly outlying?: Outlying;
  readonly references?: readonly Reference[];
  /** Of lines in another unit. */
  readonly right?: YFrame;
}

/** What of a line decides on its part of a frame. */
type Shown = Pick<DrawnLine, 'x' | 'y' | 'increasing'> & Partial<DrawnLine>;

/** A reference line widens the y range when it lies within this share of it. */
const REACH = 0.6;
/** Bands and raw values widen a frame that leaves others out by at most this share of it. */
const ROOM = 0.35;

type YAxes = Pick<LineModel, 'y' | 'right'>;

/** Each y axis follows from its own lines alone. */
export function yAxesOf(lines: readonly DrawnLine[], x: Extent, frame: YFrame): YAxes {
  const { right } = frame;
  if (right === undefined) return { y: yAxisOf(lines, x, frame) };
  return {
    y: yAxisOf(
      lines.filter((line) => line.right !== true),
      x,
      frame,
    ),
    right: yAxisOf(
      lines.filter((line) => line.right === true),
      x,
      right,
    ),
  };
}

/** As {@link framingNotes}, of both y axes. */
export function outsideOf(lines: readonly DrawnLine[], x: AxisModel, { y, right }: YAxes): string[] {
  if (right === undefined) return framingNotes(lines, x, y);
  const [own, others] = [lines.filter((line) => line.right !== true), lines.filter((line) => line.right === true)];
  return [
    ...framingNotes(own, x, y).map((note) => `left axis: ${note}`),
    ...framingNotes(others, x, right).map((note) => `right axis: ${note}`),
  ];
}

/** The y axis for lines of which the part between `x.min` and `x.max` is shown. */
export function yAxisOf(lines: readonly DrawnLine[], x: Extent, options: YFrame): AxisModel {
  const { label, log, unit, clip, outlying, references = [] } = options;
  const parts = lines.map((line) => shownOf(line, x));
  const bulk = clip && outlying !== undefined ? shownBulk(lines, parts, x, log, outlying) : undefined;
  // What the seeds of a setting are apart when some diverge is no width of the others.
  const columns = parts.flatMap((own, i) =>
    bulk !== undefined && lines[i].sound !== undefined ? own.slice(0, 1) : own,
  );
  let extent: Extent | undefined = extentOf(columns, { log });
  if (bulk !== undefined && extent !== undefined) {
    const room = log ? (bulk.max / bulk.min) ** ROOM : ROOM * (bulk.max - bulk.min);
    extent = log
      ? { min: Math.max(extent.min, bulk.min / room), max: Math.min(extent.max, bulk.max * room) }
      : { min: Math.max(extent.min, bulk.min - room), max: Math.min(extent.max, bulk.max + room) };
    // A band of what is never negative may reach below zero by arithmetic alone.
    if (bulk.min >= 0) extent = { min: Math.max(0, extent.min), max: extent.max };
  }
  if (extent !== undefined)
    for (const { value } of references) {
      const near = REACH * (extent.max - extent.min);
      if ((log && value <= 0) || value < extent.min - near || value > extent.max + near) continue;
      extent = { min: Math.min(extent.min, value), max: Math.max(extent.max, value) };
    }
  const blank = extent === undefined;
  const y = padded(extent ?? (log ? { min: 0.1, max: 10 } : { min: 0, max: 1 }), log);
  return { label, log, ...(unit === undefined ? {} : { unit }), ...(blank ? { blank } : {}), ...y };
}

/** The values that the frame is found by; undefined when it should hold all. Runs that are known to have diverged have no say, unless all have. */
function shownBulk(
  lines: readonly DrawnLine[],
  parts: readonly Float64Array[][],
  x: Extent,
  log: boolean,
  outlying: Outlying,
): Extent | undefined {
  const all = parts.map(([y]) => y);
  if (outlying !== 'far' && lines.some(({ sound }) => sound !== undefined)) {
    const some = lines.flatMap(({ sound }, i) => sound?.map((each) => shownOf(each, x)[0]) ?? [all[i]]);
    if (extentOf(some, { log }) !== undefined) return frameBy(some, all, log, outlying);
  }
  // The points of a trend stand in the order of a setting.
  return bulkOf(all, log, outlying, !lines.some(({ markers }) => markers));
}

/** The y columns of a line in the shown part of x, with what it has where it crosses the edges: first the line itself. */
function shownOf(line: Shown, x: Extent): Float64Array[] {
  const columns = [
    line.y,
    ...((line.n !== undefined || line.markers) && line.low !== undefined ? [line.low, line.high!] : []),
    ...(line.raw !== undefined ? [line.raw] : []),
  ];
  if (isWithin(line, x)) return columns;
  if (!line.increasing)
    return columns.map((column) => column.filter((_, i) => line.x[i] >= x.min && line.x[i] <= x.max));
  const from = lowerBound(line.x, x.min);
  let to = lowerBound(line.x, x.max);
  if (line.x[to] === x.max) to++;
  return columns.map((column) => {
    const before = edge(line.x, column, from, x.min);
    const behind = edge(line.x, column, to, x.max);
    const all = new Float64Array(to - from + 2);
    let n = 0;
    if (before !== undefined) all[n++] = before;
    all.set(column.subarray(from, to), n);
    n += to - from;
    if (behind !== undefined) all[n++] = behind;
    return all.subarray(0, n);
  });
}

/** Whether x shows all of a line, by its ends. */
const isWithin = ({ x, increasing }: Shown, { min, max }: Extent): boolean =>
  x.length === 0 || (increasing && x[0] >= min && x[x.length - 1] <= max);

/** y between two points, where a line enters or leaves the window; undefined where it does neither. */
function edge(xs: Float64Array, column: Float64Array, i: number, at: number): number | undefined {
  if (i <= 0 || i >= xs.length || xs[i] === at) return undefined;
  const value = column[i - 1] + ((at - xs[i - 1]) / (xs[i] - xs[i - 1])) * (column[i] - column[i - 1]);
  return Number.isFinite(value) ? value : undefined;
}

/** What the axes do not show of the lines, and what has no place at all. */
export function framingNotes(lines: readonly DrawnLine[], x: AxisModel, y: AxisModel): string[] {
  const notes = x.far === undefined ? [] : leftOutOf(lines, x);
  let [unplaced, notPositive, gaps] = [0, 0, 0];
  const beyond = { above: 0, below: 0, most: -Infinity, least: Infinity, lines: new Set<string>() };
  for (const line of lines) {
    const values = line.raw ?? line.y;
    const xs = line.x;
    if (x.log) for (let i = 0; i < values.length; i++) if (xs[i] <= 0) unplaced++;
    for (let i = line.increasing ? lowerBound(xs, x.min) : 0; i < values.length; i++) {
      const at = xs[i];
      const value = values[i];
      // As nearly all are.
      if (value >= y.min && value <= y.max) continue;
      if (line.increasing && at > x.max) break;
      if (at < x.min || at > x.max) continue;
      if (!Number.isFinite(value)) gaps++;
      else if (y.log && value <= 0) notPositive++;
      else if (tame(value) > y.max || tame(value) < y.min) {
        beyond.lines.add(line.id);
        if (value > y.max) beyond.above++;
        else beyond.below++;
        beyond.most = Math.max(beyond.most, value);
        beyond.least = Math.min(beyond.least, value);
      }
    }
  }
  if (unplaced > 0)
    notes.push(`${counted(unplaced, 'point')} with ${x.label} ≤ 0 cannot be shown on a logarithmic axis`);
  if (notPositive > 0) notes.push(`${counted(notPositive, 'value')} ≤ 0 cannot be shown on a logarithmic axis`);
  const of = lines.length > 1 ? ` of ${counted(beyond.lines.size, 'line')}` : '';
  if (beyond.above > 0 && beyond.below > 0)
    notes.push(
      `${counted(beyond.above + beyond.below, 'value')}${of} beyond the frame, from ${formatValue(beyond.least)} to ${formatValue(beyond.most)}`,
    );
  else if (beyond.above > 0)
    notes.push(`${counted(beyond.above, 'value')}${of} above the frame, up to ${formatValue(beyond.most)}`);
  else if (beyond.below > 0)
    notes.push(`${counted(beyond.below, 'value')}${of} below the frame, down to ${formatValue(beyond.least)}`);
  const crossing = leaving(lines, x, y, beyond.lines);
  if (crossing > 0)
    notes.push(`${counted(crossing, 'line')} ${crossing === 1 ? 'leaves' : 'leave'} the frame between points`);
  const wide = lines.filter((line) => !beyond.lines.has(line.id) && reachesOut(line, x, y));
  const bands = wide.filter(({ n }) => n !== undefined).length;
  if (bands > 0) notes.push(`${counted(bands, 'band')} ${bands === 1 ? 'reaches' : 'reach'} beyond the frame`);
  const spikes = wide.length - bands;
  if (spikes > 0)
    notes.push(`single values of ${counted(spikes, 'line')} beyond the frame, between points that are drawn`);
  if (gaps > 0)
    notes.push(`${counted(gaps, 'value')} that ${gaps === 1 ? 'is not finite is a gap' : 'are not finite are gaps'}`);
  return notes;
}

/** Points that have no place on x because theirs is too far from all others, in words. */
function leftOutOf(lines: readonly DrawnLine[], { min, max, log, unit = '' }: AxisModel): string[] {
  let count = 0;
  const beyond = { most: -Infinity, least: Infinity, lines: 0 };
  for (const line of lines) {
    if (isWithin(line, { min, max })) continue;
    const { x, y } = line;
    const before = count;
    for (let i = 0; i < x.length; i++) {
      if (!(tame(x[i]) < min || tame(x[i]) > max) || !Number.isFinite(x[i] + y[i]) || (log && x[i] <= 0)) continue;
      count++;
      beyond.most = Math.max(beyond.most, x[i]);
      beyond.least = Math.min(beyond.least, x[i]);
    }
    beyond.lines += Number(count > before);
  }
  if (count === 0) return [];
  const [least, most] = [beyond.least, beyond.most].map((v) => formatInUnit(v, unit));
  const where =
    beyond.least > max ? `up to ${most}` : beyond.most < min ? `down to ${least}` : `from ${least} to ${most}`;
  const of = lines.length > 1 ? ` of ${counted(beyond.lines, 'line')}` : '';
  return [`${counted(count, 'point')}${of} left out on x, ${where}`];
}

/** Lines that lie beyond the frame where they cross the edges of the window, though each of their points in it is inside. */
function leaving(lines: readonly DrawnLine[], x: AxisModel, y: AxisModel, counted: ReadonlySet<string>): number {
  const outside = (value: number): boolean => value > y.max || (value < y.min && !(y.log && value <= 0));
  return lines.filter((line) => {
    if (!line.increasing || isWithin(line, x) || counted.has(line.id)) return false;
    const [from, to] = [lowerBound(line.x, x.min), lowerBound(line.x, x.max)];
    return [edge(line.x, line.y, from, x.min), edge(line.x, line.y, to, x.max)].some(
      (value) => value !== undefined && outside(value),
    );
  }).length;
}

/** Whether the band of a mean, or what was logged behind reduced points, goes beyond the frame within the window. */
function reachesOut(line: DrawnLine, x: AxisModel, y: AxisModel): boolean {
  const { x: at, low, high, increasing } = line;
  if (low === undefined || high === undefined) return false;
  for (let i = increasing ? lowerBound(at, x.min) : 0; i < at.length; i++) {
    if (at[i] >= x.min && at[i] <= x.max) {
      if (high[i] > y.max || (low[i] < y.min && !(y.log && low[i] <= 0))) return true;
    } else if (increasing) break;
  }
  return false;
}
