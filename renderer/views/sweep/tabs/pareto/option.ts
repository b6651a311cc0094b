/** Every setting by what it costs and what it reaches, with the settings that no other beats in both. Those of fewer seeds are hollow. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type { RankedSetting, Ranking } from '../../../../../preload/shared/results/rank.ts';
import { nameOf } from '../../../../../preload/shared/results/words.ts';
import type { ChartOption } from '../../../../charts/draw/echarts.ts';
import { formatTick } from '../../../../charts/format.ts';
import { padded } from '../../../../charts/series/extent.ts';
import { linearTicks, logTicks } from '../../../../charts/series/ticks.ts';
import { paretoFront } from '../../../../charts/stats/pareto.ts';
import { isPartial, textOf, tipOf, tooltipOf } from '../look.ts';
import type { Look } from '../look.ts';

export interface Cost {
  readonly value: string;
  readonly label: string;
  readonly of: (row: RankedSetting) => number;
  readonly format: (value: number) => string;
}

/** Costs that differ by more than this factor have a logarithmic axis. */
const WIDE = 5;
/** Of more settings on the front the labels would cover each other. */
const MOST_LABELS = 12;

/** Settings that have a place: a number, and a known cost. */
export const placed = ({ rows }: Ranking, cost: Cost): RankedSetting[] =>
  rows.filter((row) => row.metric.n > 0 && Number.isFinite(cost.of(row)));

export function paretoOption(ranking: Ranking, cost: Cost, look: Look): ChartOption {
  const shown = placed(ranking, cost);
  const x = shown.map(cost.of);
  const y = shown.map((row) => row.metric.mean);
  const sign = ranking.goal === 'maximize' ? -1 : 1;
  // Means over fewer seeds are shown, but beat nobody.
  const judged = shown.map((row) => (isPartial(row) ? Number.NaN : sign * row.metric.mean));
  const front = paretoFront(x, judged);
  return {
    grid: { left: 72, right: 24, top: 16, bottom: 52 },
    tooltip: {
      ...tooltipOf(look),
      formatter: (params) => {
        const { dataIndex, seriesName } = Array.isArray(params) ? params[0] : params;
        const row = shown[seriesName === 'front' ? front[dataIndex] : dataIndex];
        return `${tipOf(row, ranking)}\n${cost.label} ${cost.format(cost.of(row))}`;
      },
    },
    ...axesOf(x, y, ranking.metric, cost, look),
    series: [frontOf(front, x, y, look), pointsOf(shown, front, x, y, look)],
  };
}

function axesOf(
  x: readonly number[],
  y: readonly number[],
  metric: string,
  cost: Cost,
  look: Look,
): Pick<ChartOption, 'xAxis' | 'yAxis'> {
  const log = x.length > 1 && Math.min(...x) > 0 && Math.max(...x) / Math.min(...x) > WIDE;
  const rangeX = padded({ min: Math.min(...x), max: Math.max(...x) }, log);
  const rangeY = padded({ min: Math.min(...y), max: Math.max(...y) }, false);
  const common = {
    axisLine: { lineStyle: { color: look.theme.line } },
    axisTick: { lineStyle: { color: look.theme.line } },
    nameTextStyle: { ...textOf(look, look.theme.text), fontWeight: 600 as const },
    nameLocation: 'middle' as const,
  };
  return {
    xAxis: {
      ...common,
      type: log ? 'log' : 'value',
      ...rangeX,
      name: cost.label,
      nameGap: 30,
      splitLine: { show: false },
      axisLabel: {
        ...textOf(look),
        formatter: cost.format,
        hideOverlap: true,
        customValues: (log ? logTicks : linearTicks)(rangeX.min, rangeX.max, 8),
      },
    },
    yAxis: {
      ...common,
      type: 'value',
      ...rangeY,
      name: metric,
      nameGap: 52,
      splitLine: { lineStyle: { color: look.theme.line } },
      axisLabel: {
        ...textOf(look),
        formatter: (value: number) => formatTick(value, (rangeY.max - rangeY.min) / 5),
        showMinLabel: false,
        showMaxLabel: false,
      },
    },
  };
}

const frontOf = (
  front: readonly number[],
  x: readonly number[],
  y: readonly number[],
  look: Look,
): LineSeriesOption => ({
  name: 'front',
  type: 'line',
  step: 'end',
  symbol: 'none',
  silent: true,
  lineStyle: { color: look.theme.accent, width: 1.5, type: 'dashed' },
  data: front.map((i) => [x[i], y[i]]),
});

function pointsOf(
  shown: readonly RankedSetting[],
  front: readonly number[],
  x: readonly number[],
  y: readonly number[],
  look: Look,
): ScatterSeriesOption {
  const onFront = new Set(front);
  return {
    name: 'settings',
    type: 'scatter',
    symbolSize: (_value, { dataIndex }) => (onFront.has(dataIndex) ? 13 : 9),
    data: shown.map((row, i) => ({
      value: [x[i], y[i]],
      itemStyle: {
        color: isPartial(row) ? look.theme.surface : onFront.has(i) ? look.theme.accent : look.theme.muted,
        opacity: onFront.has(i) || isPartial(row) ? 1 : 0.6,
        borderColor: isPartial(row) ? look.theme.muted : look.theme.surface,
        borderWidth: 1.5,
      },
      label: {
        show: onFront.has(i) && front.length <= MOST_LABELS,
        formatter: nameOf(row),
        position: 'top',
        distance: 5,
        ...textOf(look, look.theme.text),
        // The front runs behind it, not through it.
        backgroundColor: look.theme.surface,
        padding: [1, 3],
      },
    })),
    labelLayout: { hideOverlap: true, moveOverlap: 'shiftY' },
    emphasis: { scale: 1.3 },
  };
}
