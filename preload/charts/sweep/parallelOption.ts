/** One line per setting through its values and its mean; the best is drawn last and widest, those of fewer seeds dashed. Axes can be brushed. */
import type { ParallelSeriesOption } from 'echarts/charts';
import type { ParallelComponentOption } from 'echarts/components';
import { formatSetting } from '../../shared/format.ts';
import type { Goal } from '../../shared/metrics.ts';
import { shortName } from '../../shared/results/groups.ts';
import type { RankedSetting, Ranking } from '../../shared/results/rank.ts';
import { ramp } from '../color/palette.ts';
import { colorScale } from '../color/scale.ts';
import type { ChartOption } from '../draw/echarts.ts';
import { formatTick, scaledLabel } from '../format.ts';
import { padded } from '../series/extent.ts';
import { linearTicks } from '../series/ticks.ts';
import { categoriesOf, lined } from './brush.ts';
import { distances, isPartial, textOf, tipOf, tooltipOf } from './look.ts';
import type { Look } from './look.ts';

type Axis = Extract<NonNullable<ChartOption['parallelAxis']>, readonly unknown[]>[number];
type Line = NonNullable<ParallelSeriesOption['data']>[number];

/** Beyond so many values an axis has ticks of its own instead of one per value. */
const MOST_TICKS = 8;

export function parallelOption(ranking: Ranking, look: Look): ChartOption {
  const { rows, columns, goal, metric } = ranking;
  const shown = lined(rows);
  const distance = distances(shown, goal);
  // The best comes last, so that it lies on top.
  const drawn = shown.toReversed();
  const axes = columns.map((name, dim) => ({
    ...settingAxis(shown, name, look),
    id: name,
    dim,
    name: scaledLabel(shortName(name, columns), isLog(shown, name)),
  }));
  return {
    parallel: frameOf(look),
    parallelAxis: [...axes, { ...metricAxis(shown, goal, look), id: metric, dim: columns.length, name: metric }],
    tooltip: {
      ...tooltipOf(look),
      trigger: 'item',
      formatter: (params) => tipOf(drawn[(Array.isArray(params) ? params[0] : params).dataIndex], ranking),
    },
    series: [
      {
        type: 'parallel',
        emphasis: { lineStyle: { width: 3.5, opacity: 1 } },
        inactiveOpacity: 0.08,
        data: drawn.map((row): Line => ({
          value: [...columns.map((name) => placeOf(row.values[name])), row.metric.mean],
          lineStyle: {
            color: ramp(Math.sqrt(distance(row)), look.surface),
            width: row.verdict === 'best' ? 3 : 1.6,
            opacity: row.verdict === 'best' ? 1 : 0.75,
            type: isPartial(row) ? [5, 4] : 'solid',
          },
        })),
      },
    ],
  };
}

const placeOf = (value: unknown): number | string =>
  typeof value === 'number' ? value : formatSetting(value as string);

function frameOf(look: Look): ParallelComponentOption {
  return {
    left: 56,
    right: 72,
    top: 36,
    bottom: 24,
    parallelAxisDefault: {
      nameTextStyle: { ...textOf(look, look.theme.text), fontWeight: 600 },
      nameGap: 14,
      axisLine: { lineStyle: { color: look.theme.muted } },
      axisTick: { lineStyle: { color: look.theme.line } },
      axisLabel: textOf(look),
      minorTick: { show: false },
      splitLine: { show: false },
      areaSelectStyle: {
        width: 16,
        borderWidth: 1,
        borderColor: look.theme.accent,
        color: look.theme.accent,
        opacity: 0.25,
      },
    },
  };
}

const labels = (look: Look) => ({
  ...textOf(look, look.theme.text),
  backgroundColor: look.theme.surface,
  padding: [1, 3],
  borderRadius: 2,
});

/** Whether the values of a setting stand on a logarithmic axis. */
function isLog(rows: readonly RankedSetting[], name: string): boolean {
  const values = rows.map((row) => row.values[name]);
  return values.every((value) => typeof value === 'number') && colorScale(values).kind === 'log';
}

function settingAxis(rows: readonly RankedSetting[], name: string, look: Look): Axis {
  const values = rows.map((row) => row.values[name]);
  if (!values.every((value) => typeof value === 'number'))
    return { type: 'category', data: categoriesOf(rows, name), axisLabel: labels(look) };
  const scale = colorScale(values);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const customValues = distinct.length <= MOST_TICKS ? distinct : undefined;
  const formatter = (value: number): string => formatSetting(Number(value.toPrecision(4)));
  return {
    type: scale.kind === 'log' ? 'log' : 'value',
    ...padded(scale, scale.kind === 'log'),
    axisLabel: { ...labels(look), customValues, formatter },
    axisTick: { customValues },
  };
}

function metricAxis(rows: readonly RankedSetting[], goal: Goal, look: Look): Axis {
  const means = rows.map((row) => row.metric.mean);
  const range = padded({ min: Math.min(...means), max: Math.max(...means) }, false);
  const ticks = linearTicks(range.min, range.max, 7);
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : Math.abs(ticks[0] ?? 1);
  return {
    type: 'value',
    ...range,
    // The best at the top, whichever direction that is.
    inverse: goal === 'minimize',
    ...(goal === 'maximize' ? {} : { nameLocation: 'start' as const }),
    axisLabel: { ...labels(look), customValues: ticks, formatter: (value: number) => formatTick(value, step) },
    axisTick: { customValues: ticks },
  };
}
