/** A board chart whose x is a setting: the final value of each run against it, seeds as mean and band. */
import type { DrawnLine, LineModel } from '../draw/model.ts';
import { colorScale } from '../color/scale.ts';
import { extentOf, padded } from '../series/extent.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import { BAND_LABELS, bandOf } from '../../../preload/shared/statistics/describe.ts';
import { trendOf } from '../sweep/trend.ts';
import { labelOf, valuesOf } from '../../../preload/shared/results/groups.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

export interface TrendOptions {
  readonly runs: readonly RunRecord[];
  readonly metrics: readonly string[];
  readonly setting: string;
  /** Settings whose values are lines of their own. */
  readonly lines: readonly string[];
  readonly band: Band;
  readonly xLog?: boolean;
  readonly yLog: boolean;
  readonly yLabel: string;
  readonly color: (runs: readonly RunRecord[], index: number) => string;
  /** Runs whose values share the axis, when the chart is one of several. */
  readonly among?: readonly RunRecord[];
}

/** Settings that are not numbers take the places 1, 2, 3 … in their order. */
export function trendModel({
  runs,
  metrics,
  setting,
  lines: by,
  band,
  xLog,
  yLog,
  yLabel,
  color,
  among,
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
  const lines = found.map(({ metric, dash, line, index }): DrawnLine => {
    const bands = line.points.map((point) => bandOf(band, point));
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
      x: Float64Array.from(line.points, ({ x }) => place(x)),
      y: Float64Array.from(line.points, ({ mean }) => mean),
      low: Float64Array.from(bands, ([low]) => low),
      high: Float64Array.from(bands, ([, high]) => high),
      n: Uint32Array.from(line.points, ({ n }) => n),
      increasing: true,
      markers: true,
    };
  });
  const x = extentOf(
    lines.map((line) => line.x),
    { log },
  ) ?? { min: 0, max: 1 };
  const y = extentOf(
    lines.flatMap((line) => [line.y, line.low!, line.high!]),
    { log: yLog },
  ) ?? { min: 0, max: 1 };
  const categories = numeric ? undefined : xs.map(String);
  return {
    lines,
    x: {
      label: setting,
      log,
      ...(categories === undefined ? padded(x, log) : { min: 0.5, max: categories.length + 0.5 }),
      ...(categories === undefined ? {} : { categories }),
      ...(numeric && xs.length <= 8 ? { ticks: xs as number[] } : {}),
    },
    y: { label: yLabel, log: yLog, ...padded(y, yLog) },
    references: [],
    notes: lines.some((line) => line.n!.some((n) => n > 1)) ? [`mean over seeds, ${BAND_LABELS[band]}`] : [],
  };
}
