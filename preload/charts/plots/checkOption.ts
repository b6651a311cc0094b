/** What a check measured, as an option of ECharts: curves, what is suggested as a shade, thresholds as broken lines. */
import type { LineSeriesOption } from 'echarts/charts';
import type { CheckAxis, CheckPlot } from '../../contract/shapes.ts';
import { formatInUnit, formatMemory } from '../../shared/format.ts';
import { categorical } from '../color/categorical.ts';
import type { ChartOption } from '../draw/echarts.ts';
import { formatAlone, labelIn, scaledLabel, ticksAt, ticksOf } from '../format.ts';
import type { Tick } from '../format.ts';
import { extentOf, padded } from '../series/extent.ts';
import type { Extent } from '../series/extent.ts';
import { textOf, tooltipOf } from '../sweep/look.ts';
import type { Look } from '../sweep/look.ts';

type Line = CheckPlot['lines'][number];
/** Ticks along each axis, about. */
const TICKS = 5;

const numbers = (line: Line): number[] => line.y.map((value) => value ?? Number.NaN);
/** The colour of a line: a smoothed one has that of what it smooths. */
export const colorIndex = (line: Line): number => (line.right === true ? 1 : 0);

interface Scale {
  readonly range: Extent;
  readonly ticks: readonly Tick[];
}

function scaleOf(axis: CheckAxis, values: readonly (readonly number[])[], tight: boolean): Scale {
  const { log, unit, frame } = axis;
  const found = extentOf(values, { log }) ?? { min: log ? 0.1 : 0, max: 1 };
  const range = frame === undefined ? (tight ? found : padded(found, log)) : { min: frame[0], max: frame[1] };
  const ticks = unit === 'at' ? ticksAt([...new Set(values.flat())]) : ticksOf({ ...range, log, unit }, TICKS);
  return { range, ticks };
}

/** What must be seen although no line reaches it. */
const reached = ({ bands, marks }: CheckPlot, axis: 'x' | 'y'): number[] => [
  ...bands.flatMap((band) => band[axis] ?? []).filter((at) => at !== null),
  ...marks.filter((mark) => mark.axis === axis).map(({ at }) => at),
];

export function checkOption(plot: CheckPlot, look: Look): ChartOption {
  const left = plot.lines.filter((line) => line.right !== true);
  const right = plot.lines.filter((line) => line.right === true);
  const x = scaleOf(plot.x, [...plot.lines.map((line) => line.x), reached(plot, 'x')], plot.x.unit !== 'at');
  const y = scaleOf(plot.y, [...left.map(numbers), reached(plot, 'y')], false);
  const beside = plot.right === null ? null : scaleOf(plot.right, right.map(numbers), false);
  return {
    grid: { left: 64, right: beside === null ? 20 : 72, top: 30, bottom: 44 },
    tooltip: { ...tooltipOf(look), trigger: 'axis', formatter: (items) => tip(plot, [items].flat()) },
    xAxis: { ...axisOf(plot.x, x, look, 28), splitLine: { show: false } },
    yAxis: [
      { ...axisOf(plot.y, y, look, 48), splitLine: { lineStyle: { color: look.theme.line } } },
      ...(beside === null || plot.right === null
        ? []
        : [{ ...axisOf(plot.right, beside, look, 58), splitLine: { show: false } }]),
    ],
    series: plot.lines.map((line, i) => ({
      ...seriesOf(line, look),
      ...(i === 0 ? { markArea: areasOf(plot, { x, y }, look), markLine: marksOf(plot, look) } : {}),
    })),
  };
}

function axisOf(axis: CheckAxis, { range, ticks }: Scale, look: Look, nameGap: number) {
  return {
    type: axis.log ? ('log' as const) : ('value' as const),
    ...range,
    name: scaledLabel(axis.name, axis.log),
    nameLocation: 'middle' as const,
    nameGap,
    nameTextStyle: textOf(look),
    axisLine: { lineStyle: { color: look.theme.line } },
    // Lines of the grid go through these too.
    axisTick: { show: false, customValues: ticks.map(({ value }) => value) },
    axisLabel: {
      ...textOf(look),
      formatter: labelIn(ticks),
      hideOverlap: true,
      customValues: ticks.map(({ value }) => value),
    },
  };
}

function seriesOf(line: Line, look: Look): LineSeriesOption {
  const color = categorical(colorIndex(line), look.surface);
  return {
    name: line.name,
    type: 'line',
    yAxisIndex: line.right === true ? 1 : 0,
    data: line.x.map((at, i) => [at, line.y[i] ?? null]),
    showSymbol: line.dots === true,
    symbol: 'circle',
    symbolSize: 5,
    itemStyle: { color },
    lineStyle: { color, width: line.faint === true ? 1 : 1.75, opacity: line.faint === true ? 0.5 : 1 },
    emphasis: { disabled: true },
  };
}

const areasOf = ({ bands }: CheckPlot, { x, y }: Record<'x' | 'y', Scale>, look: Look) => ({
  silent: true,
  itemStyle: { color: look.theme.accent, opacity: 0.14 },
  label: textOf(look, look.theme.text),
  data: bands.map(({ name, ...ends }) => {
    const within = (axis: 'x' | 'y', { range }: Scale): [number, number] => {
      const [from, to] = ends[axis] ?? [range.min, null];
      return [Math.max(from, range.min), Math.min(to ?? range.max, range.max)];
    };
    const [[left, end], [low, high]] = [within('x', x), within('y', y)];
    // Above what reaches the frame; within what stands among the lines of the grid.
    const position = ends.y === null ? ('top' as const) : ('insideBottom' as const);
    return [{ name, label: { position }, coord: [left, high] }, { coord: [end, low] }] as [
      { name: string; label: { position: 'top' | 'insideBottom' }; coord: number[] },
      { coord: number[] },
    ];
  }),
});

const marksOf = ({ marks }: CheckPlot, look: Look) => ({
  silent: true,
  symbol: 'none',
  lineStyle: { color: look.theme.muted, type: 'dashed' as const, width: 1 },
  data: marks.map(({ name, axis, at }) => ({
    ...(axis === 'x' ? { xAxis: at } : { yAxis: at }),
    label: {
      ...textOf(look, look.theme.text),
      formatter: name,
      position: axis === 'x' ? ('end' as const) : ('insideStartTop' as const),
    },
  })),
});

const valueIn = ({ unit }: CheckAxis, value: number): string =>
  unit === 'bytes' ? formatMemory(value) : unit === 'at' ? formatAlone(value) : formatInUnit(value, unit);

function tip(plot: CheckPlot, items: readonly { readonly seriesName?: string; readonly value?: unknown }[]): string {
  const rows = items.map(({ seriesName, value }) => ({ name: seriesName, value: value as [number, number | null] }));
  const at = rows[0]?.value[0];
  if (at === undefined) return '';
  const axisFor = (name: string | undefined): CheckAxis =>
    plot.lines.some((line) => line.name === name && line.right === true) ? (plot.right ?? plot.y) : plot.y;
  return [
    `${plot.x.name} ${valueIn(plot.x, at)}`,
    ...rows.flatMap(({ name, value: [, y] }) =>
      typeof y === 'number' && !Number.isNaN(y) ? [`${name} ${valueIn(axisFor(name), y)}`] : [],
    ),
  ].join('\n');
}
