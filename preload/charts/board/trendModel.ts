/** A board chart whose x is a setting: the final value of each run against it, seeds as mean and band. */
import type { AbsentMark, DrawnLine, LineModel } from '../draw/model.ts';
import { colorScale } from '../color/scale.ts';
import { extentOf, padded } from '../series/extent.ts';
import type { Band } from '../../shared/statistics/describe.ts';
import { BAND_LABELS, bandOf } from '../../shared/statistics/describe.ts';
import { outsideOf, yAxesOf } from '../data/frame.ts';
import { yFrameOf } from '../data/lineModel.ts';
import type { FrameChoices } from '../data/lineModel.ts';
import { trendOf } from '../sweep/trend.ts';
import type { Trend } from '../sweep/trend.ts';
import type { SettingValue } from '../../contract/settings.ts';
import { formatSetting } from '../../shared/format.ts';
import { labelOf, valuesOf } from '../../shared/results/groups.ts';
import { outcomeOf } from '../../shared/results/samples.ts';
import { absentWords } from '../../shared/results/words.ts';
import type { RunRecord } from '../../contract/runs.ts';

export interface TrendOptions extends Omit<FrameChoices, 'clipOutliers' | 'references'> {
  readonly runs: readonly RunRecord[];
  readonly metrics: readonly string[];
  readonly setting: string;
  /** Settings whose values are lines of their own. */
  readonly lines: readonly string[];
  readonly band: Band;
  readonly xLog?: boolean;
  readonly clipOutliers?: boolean;
  readonly color: (runs: readonly RunRecord[], index: number) => string;
  /** Runs whose values share the axis, when the chart is one of several. */
  readonly among?: readonly RunRecord[];
}

/**
 * Settings that are not numbers take the places 1, 2, 3 … in their order.
 *
 * `runs`: one per seed of each setting.
 */
export function trendModel({
  runs,
  metrics,
  setting,
  lines: by,
  band,
  xLog,
  color,
  among,
  clipOutliers = true,
  ...choices
}: TrendOptions): LineModel & { readonly categories?: readonly string[] } {
  const trends = metrics.map((metric) => ({ metric, ...trendOf(runs, metric, setting, by) }));
  const xs = valuesOf(among ?? runs, setting);
  const numeric = xs.every((value) => typeof value === 'number');
  const place = (value: unknown): number => (numeric ? (value as number) : xs.indexOf(value as string) + 1);
  const log = xLog ?? (numeric && colorScale(xs as number[]).kind === 'log');
  const several = metrics.length > 1;
  const found = trends.flatMap(({ metric, lines }, dash) =>
    lines.map((line, index) => ({ metric, dash, line, index })),
  );
  const lines = found.map(({ metric, dash, line, index }, i): DrawnLine => {
    const points = line.points.filter((point) => point.metric.n > 0);
    const bands = points.map((point) => bandOf(band, point.metric));
    const members = runs.filter((run) => by.every((name) => run.config[name] === line.values[name]));
    const group = `trend:${line.key}`;
    const alone = Object.keys(line.values).length === 0;
    const name = alone ? metric : labelOf(line.values);
    return {
      id: several ? `${group}|${metric}` : group,
      group,
      label: several && !alone ? `${name} · ${metric}` : name,
      color: color(members, index),
      ...(dash > 0 ? { dash } : {}),
      ...(choices.right?.metrics.includes(metric) ? { right: true } : {}),
      ...(found.length > 1 ? { aside: asideOf(i, found.length) } : {}),
      x: Float64Array.from(points, (point) => place(point.x)),
      y: Float64Array.from(points, (point) => point.metric.mean),
      low: Float64Array.from(bands, ([low]) => low),
      high: Float64Array.from(bands, ([, high]) => high),
      n: Uint32Array.from(points, (point) => point.metric.n),
      planned: Uint32Array.from(points, (point) => point.runs.length),
      increasing: true,
      markers: true,
    };
  });
  const absent = absentAt(xs, trends, place);
  const x = extentOf([...lines.map((line) => line.x), Float64Array.from(absent, (mark) => mark.x)], { log }) ?? {
    min: 0,
    max: 1,
  };
  const categories = numeric ? undefined : xs.map((value) => formatSetting(value));
  const axis = {
    label: setting,
    log,
    ...(categories === undefined ? padded(x, log) : { min: 0.5, max: categories.length + 0.5 }),
    ...(categories === undefined ? {} : { categories }),
    ...(numeric && xs.length <= 8 ? { ticks: xs as number[] } : {}),
  };
  const axes = yAxesOf(lines, axis, yFrameOf({ ...choices, clipOutliers }));
  return {
    lines,
    x: axis,
    ...axes,
    references: [],
    absent,
    notes: [...notesOf(trends, band), ...(lines.length > 1 ? ['lines of one x stand side by side'] : [])],
    outside: outsideOf(lines, axis, axes),
  };
}

/** Bars of one x are so far apart, in pixels, and together at most so wide: less than values of a setting lie apart. */
const BESIDE = 6;
const WIDEST = 24;

/** How far to the right of its x a line is drawn, so that its bars hide none of the others'. */
export const asideOf = (index: number, lines: number): number =>
  lines < 2 ? 0 : (index - (lines - 1) / 2) * Math.min(BESIDE, WIDEST / (lines - 1));

/** Where some line has runs and none of them a number: `6 of 6 failed`, over all lines at this x. */
function absentAt(
  xs: readonly SettingValue[],
  trends: readonly Trend[],
  place: (value: unknown) => number,
): AbsentMark[] {
  const points = trends.flatMap(({ lines }) => lines.flatMap((line) => line.points));
  return xs.flatMap((value) => {
    const gone = points.filter((point) => point.x === value && point.metric.n === 0);
    const runs = [...new Set(gone.flatMap((point) => point.runs))];
    return runs.length === 0 ? [] : [{ x: place(value), label: absentWords(outcomeOf(runs, '')) }];
  });
}

/** What the points are means of, in words that are true: over seeds alone, or also over settings, and whether all over the same ones. */
function notesOf(trends: readonly Trend[], band: Band): string[] {
  const points = trends.flatMap(({ lines }) => lines.flatMap((line) => line.points));
  if (points.every((point) => point.runs.length === 1)) return [];
  const [{ averaged }] = trends;
  const notes = [`mean over ${['seeds', ...averaged].join(' and ')}, ${BAND_LABELS[band]}`];
  if (points.some((point) => point.metric.n > 0 && point.metric.n < point.runs.length))
    notes.push('hollow: some runs have no number');
  const unequal = [...new Set(trends.flatMap(({ unbalanced }) => unbalanced))];
  if (unequal.length > 0) notes.push(`not balanced: points have unequal shares of ${unequal.join(' and ')}`);
  return notes;
}
