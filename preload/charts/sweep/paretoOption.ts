/** Every setting by what it costs and what it reaches, with the settings that no other beats in both. Those of fewer seeds are hollow. */
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type { RankedSetting, Ranking } from '../../shared/results/rank.ts';
import { nameOf } from '../../shared/results/words.ts';
import type { ChartOption } from '../draw/echarts.ts';
import { formatTick, labelIn, scaledLabel, ticksOf } from '../format.ts';
import { padded } from '../series/extent.ts';
import type { Extent } from '../series/extent.ts';
import { paretoFront } from '../stats/pareto.ts';
import { isPartial, textOf, tipOf, tooltipOf } from './look.ts';
import type { Look } from './look.ts';

export interface Cost {
  readonly value: string;
  readonly label: string;
  readonly of: (row: RankedSetting) => number;
  /** Standard deviation of it over the seeds, where they differ in it. */
  readonly spread?: (row: RankedSetting) => number;
  readonly format: (value: number) => string;
  /** As of a metric; absent where it is a count. */
  readonly unit?: string;
}

/** Costs that differ by more than this factor have a logarithmic axis. */
const WIDE = 5;
/** Free pixels beside a label at the edge. */
const EDGE = 4;
/** Of more settings on the front the labels would cover each other. */
const MOST_LABELS = 12;

/** Settings that have a place: a number, and a known cost. */
export const placed = ({ rows }: Ranking, cost: Cost): RankedSetting[] =>
  rows.filter((row) => row.metric.n > 0 && Number.isFinite(cost.of(row)));

/** @param width of the whole chart in pixels: names at its edges stay inside */
export function paretoOption(ranking: Ranking, cost: Cost, look: Look, width: number): ChartOption {
  const shown = placed(ranking, cost);
  const x = shown.map(cost.of);
  const y = shown.map((row) => row.metric.mean);
  const sign = ranking.goal === 'maximize' ? -1 : 1;
  // Means over fewer seeds are shown, but beat nobody.
  const judged = shown.map((row) => (isPartial(row) ? Number.NaN : sign * row.metric.mean));
  const front = paretoFront(x, judged);
  const bars = shown.map((row, i): Bars => {
    const [wide, high] = [row.metric.n > 1 ? (cost.spread?.(row) ?? Number.NaN) : Number.NaN, row.metric.sd];
    return { x: x[i], y: y[i], left: x[i] - wide, right: x[i] + wide, low: y[i] - high, high: y[i] + high };
  });
  return {
    grid: { left: 72, right: 24, top: 16, bottom: 52 },
    tooltip: {
      ...tooltipOf(look),
      formatter: (params) => {
        const { dataIndex, seriesName } = Array.isArray(params) ? params[0] : params;
        const row = shown[seriesName === 'front' ? front[dataIndex] : dataIndex];
        const sd = cost.spread?.(row) ?? Number.NaN;
        return `${tipOf(row, ranking)}\n${cost.label} ${cost.format(cost.of(row))}${sd > 0 ? ` ± ${cost.format(sd)}` : ''}`;
      },
    },
    ...axesOf(x, y, bars, ranking.metric, cost, look),
    series: [frontOf(front, x, y, look), pointsOf(shown, front, x, y, look, width), barsOf(bars, look)],
  };
}

/** What a point is the mean of: from its standard deviation below to that above, along both axes. NaN where one seed has no spread. */
interface Bars {
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly right: number;
  readonly low: number;
  readonly high: number;
}

const barsOf = (bars: readonly Bars[], look: Look): CustomSeriesOption => ({
  name: 'spread',
  type: 'custom',
  silent: true,
  clip: true,
  z: 1,
  data: bars.map(({ x, y }) => [x, y]),
  renderItem: ({ dataIndex, coordSys }, api) => {
    const { x, y, left, right, low, high } = bars[dataIndex];
    // The lower end of a spread need not be positive; on a logarithmic axis it then ends at the frame.
    const edge = (coordSys as unknown as { readonly x: number }).x;
    const beside = api.coord([left, y])[0];
    const line = (from: readonly number[], to: readonly number[]) => ({
      type: 'line' as const,
      shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
      style: { stroke: look.theme.muted, lineWidth: 1.25, opacity: 0.75 },
    });
    return {
      type: 'group',
      children: [
        ...(Number.isFinite(low) ? [line(api.coord([x, low]), api.coord([x, high]))] : []),
        ...(Number.isFinite(left)
          ? [line([Number.isFinite(beside) ? beside : edge, api.coord([x, y])[1]], api.coord([right, y]))]
          : []),
      ],
    };
  },
});

/** Of means, and of what reaches beyond them by no more than their own range: one setting that scatters widely hides none of the others. */
function rangeOf(means: readonly number[], ends: readonly number[]): Extent {
  const [min, max] = [Math.min(...means), Math.max(...means)];
  const room = max > min ? max - min : Infinity;
  const near = ends.filter((end) => end >= min - room && end <= max + room);
  return { min: Math.min(min, ...near), max: Math.max(max, ...near) };
}

function axesOf(
  x: readonly number[],
  y: readonly number[],
  bars: readonly Bars[],
  metric: string,
  cost: Cost,
  look: Look,
): Pick<ChartOption, 'xAxis' | 'yAxis'> {
  const log = x.length > 1 && Math.min(...x) > 0 && Math.max(...x) / Math.min(...x) > WIDE;
  const rangeX = padded(
    rangeOf(
      x,
      bars.flatMap(({ left, right }) => (log && left <= 0 ? [right] : [left, right])),
    ),
    log,
  );
  const ticks = ticksOf({ ...rangeX, log, ...(cost.unit === undefined ? {} : { unit: cost.unit }) }, 8);
  const rangeY = padded(
    rangeOf(
      y,
      bars.flatMap(({ low, high }) => [low, high]),
    ),
    false,
  );
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
      name: scaledLabel(cost.label, log),
      nameGap: 30,
      splitLine: { show: false },
      axisTick: { ...common.axisTick, customValues: ticks.map(({ value }) => value) },
      axisLabel: {
        ...textOf(look),
        // What a cost is called by itself may be the same for two ticks.
        formatter: labelIn(ticks),
        hideOverlap: true,
        customValues: ticks.map(({ value }) => value),
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

/** How far a label has to move to stay within the chart. A longer one keeps its beginning, which tells settings apart. */
export const inside = (label: { readonly x: number; readonly width: number }, width: number): number =>
  Math.max(EDGE - label.x, Math.min(0, width - EDGE - (label.x + label.width)));

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
  // Behind the labels of its points, which it would strike through.
  z: 1,
  lineStyle: { color: look.theme.accent, width: 1.5, type: 'dashed' },
  data: front.map((i) => [x[i], y[i]]),
});

function pointsOf(
  shown: readonly RankedSetting[],
  front: readonly number[],
  x: readonly number[],
  y: readonly number[],
  look: Look,
  width: number,
): ScatterSeriesOption {
  const onFront = new Set(front);
  return {
    name: 'settings',
    type: 'scatter',
    z: 3,
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
    labelLayout: ({ labelRect }) => ({
      hideOverlap: true,
      moveOverlap: 'shiftY',
      dx: inside(labelRect, width),
    }),
    emphasis: { scale: 1.3 },
  };
}
