/** A LineModel as an ECharts option: axes by ECharts, all curves as one picture or, for SVG, as elements of one custom series. */
import type { CustomSeriesRenderItem } from 'echarts/types/dist/shared';
import { labelIn, scaledLabel, ticksAt, ticksOf } from '../format.ts';
import type { Tick } from '../format.ts';
import { curveItems, RICH } from './curveItems.ts';
import type { CurveItem } from './curveItems.ts';
import type { AxisModel, ChartTheme, DrawnLine, LineModel } from './model.ts';
import type { Scale, Scales } from './scale.ts';
import { scalesFor, toPixel } from './scale.ts';

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A picture of all curves, which lies between the grid and the labels: painted where there is a canvas. */
export interface CurvePicture {
  readonly canvas: unknown;
  paint(items: readonly CurveItem[], scales: Scales): void;
}

const MARGIN: Frame = { left: 52, top: 8, right: 12, bottom: 36 };
/** Width of a figure of a label, and what stands between it and the frame. */
const FIGURE = 6.4;
const BESIDE = 12;
/** Room of what a y axis is called, where there are two of them. */
const NAME = 16;
/** Between a label and the edge of the picture. */
const EDGE = 2;

/** Labels of x that would not fit beside the frame within this share of its width lose their end. */
const MOST_RIGHT = 0.25;

/**
 * Room for the labels of y, and for the half of the last label of x that stands beyond its end; equal for charts of usual numbers, so that
 * their frames stand below each other.
 */
function marginOf({ x, y, right: other }: LineModel, width: number, height: number): Frame {
  const name = other === undefined ? 0 : NAME;
  const ticks = xTicks(x, width);
  const [first, last] = [ticks[0], ticks.at(-1)].map((tick) =>
    tick === undefined || x.categories !== undefined
      ? { at: 0.5, half: 0 }
      : { at: shareOf(x, tick.value), half: (FIGURE * tick.label.length) / 2 },
  );
  const left = Math.max(MARGIN.left, labelsOf(y, height)) + name;
  const least = other === undefined ? MARGIN.right : labelsOf(other, height) + name;
  // Of the width that both margins leave, as the frame is narrower for them.
  const fit = (half: number, from: number, inner: number): number => half + EDGE - from * inner;
  const inner = width - left - least;
  const right = Math.max(least, fit(last.half, 1 - last.at, inner) / Math.max(0.5, last.at));
  return {
    ...MARGIN,
    left: Math.max(left, fit(first.half, first.at, inner)),
    right: Math.max(other === undefined ? 0 : least, Math.min(Math.ceil(right), MOST_RIGHT * width)),
  };
}

/** Room of the labels of a y axis. */
function labelsOf(y: AxisModel, height: number): number {
  const longest = Math.max(0, ...yTicks(y, height).map(({ label }) => label.length));
  return Math.ceil(FIGURE * longest) + BESIDE;
}

/** How far along an axis a value lies, from 0 to 1. */
const shareOf = (axis: AxisModel, value: number): number =>
  toPixel({ min: axis.min, max: axis.max, log: axis.log, from: 0, to: 1 }, value);

const yTicks = (y: AxisModel, height: number): Tick[] =>
  y.blank === true ? [] : ticksOf(y, Math.max(2, Math.floor((height - MARGIN.top - MARGIN.bottom) / 32)));

export function scalesOf(
  model: LineModel,
  width: number,
  height: number,
  margin = marginOf(model, width, height),
): Scales {
  const of = ({ min, max, log }: AxisModel, from: number, to: number): Scale => ({ min, max, log, from, to });
  return {
    x: of(model.x, margin.left, width - margin.right),
    y: of(model.y, height - margin.bottom, margin.top),
    ...(model.right === undefined ? {} : { right: of(model.right, height - margin.bottom, margin.top) }),
  };
}

/** @param layer on which the curves get painted, to be shown as a picture; without it they are elements of the option */
export function lineOption(
  model: LineModel,
  theme: ChartTheme,
  width: number,
  height: number,
  layer?: CurvePicture,
): Record<string, unknown> {
  const margin = marginOf(model, width, height);
  const scales = scalesOf(model, width, height, margin);
  const items = curveItems(model, scales, theme.surface);
  layer?.paint(items, scales);
  const absent = model.absent ?? [];
  const shown = (drawn: readonly object[], clip: boolean): object => ({
    type: 'custom',
    coordinateSystem: 'cartesian2d',
    silent: true,
    clip,
    renderItem: ((params: { dataIndex: number }) => ({
      ...drawn[params.dataIndex],
      silent: true,
      transition: [],
    })) as unknown as CustomSeriesRenderItem,
    data: drawn.map((_, i) => [model.x.min, model.y.min, i]),
  });
  const curves =
    layer === undefined
      ? [
          shown(
            items.filter(({ whole }) => whole !== true),
            true,
          ),
          shown(
            items.filter(({ whole }) => whole === true),
            false,
          ),
        ]
      : [shown([{ type: 'image', style: { image: layer.canvas, x: 0, y: 0, width, height } }], false)];
  return {
    animation: false,
    // Its place is known, and the curves are drawn for it: measuring the labels to move it takes a fifth of the time.
    grid: { ...margin, containLabel: false, outerBoundsMode: 'none', show: false },
    xAxis: axisOption(model.x, theme, xTicks(model.x, width), 'x', slotOf(model.x, width - margin.left - margin.right)),
    yAxis: yOptions(model, theme, height, margin),
    series: [
      ...curves,
      {
        type: 'custom',
        coordinateSystem: 'cartesian2d',
        silent: true,
        clip: false,
        z: 5,
        renderItem: ((params: { dataIndex: number }) =>
          referenceItem(model, scales, theme, params.dataIndex)) as unknown as CustomSeriesRenderItem,
        data: model.references.map(() => [model.x.min, model.y.min]),
      },
      {
        type: 'custom',
        coordinateSystem: 'cartesian2d',
        silent: true,
        clip: false,
        z: 6,
        renderItem: ((params: { dataIndex: number }) =>
          absentItem(model, scales, theme, params.dataIndex)) as unknown as CustomSeriesRenderItem,
        data: absent.map(() => [model.x.min, model.y.min]),
      },
    ],
  };
}

function yOptions(model: LineModel, theme: ChartTheme, height: number, margin: Frame): object | object[] {
  const { y, right } = model;
  const left = axisOption(y, theme, yTicks(y, height), 'y');
  if (right === undefined) return left;
  return [
    { ...left, ...nameOption(y, height, margin.left) },
    {
      ...axisOption(right, theme, yTicks(right, height), 'right'),
      ...nameOption(right, height, margin.right),
      position: 'right',
    },
  ];
}

function referenceItem(model: LineModel, scales: Scales, theme: ChartTheme, index: number): object | undefined {
  const { value, label, ...side } = model.references[index];
  const y = toPixel(scalesFor(scales, side).y, value);
  if (!(y >= scales.y.to - 0.5 && y <= scales.y.from + 0.5)) return undefined;
  const { right, above } = labelPlace(model.lines, scales, y, LETTER * label.length);
  return {
    type: 'group',
    children: [
      {
        type: 'line',
        shape: { x1: scales.x.from, x2: scales.x.to, y1: y, y2: y },
        style: { stroke: theme.muted, lineWidth: 1, lineDash: [2, 3] },
      },
      {
        type: 'text',
        x: right ? scales.x.to - 2 : scales.x.from + 4,
        y: above ? y - 4 : y + 4,
        style: {
          text: label,
          align: right ? 'right' : 'left',
          verticalAlign: above ? 'bottom' : 'top',
          fill: theme.muted,
          font: `11px ${theme.font}`,
          backgroundColor: theme.surface,
          padding: [0, 2],
        },
      },
    ],
  };
}

const LETTER = 6;
const HEIGHT = 16;

/** Where the label of a horizontal line hides the least of the data: at either end of it, above or below. */
export function labelPlace(
  lines: readonly DrawnLine[],
  scales: Scales,
  y: number,
  width: number,
): { readonly right: boolean; readonly above: boolean } {
  const { x: sx, y: sy } = scales;
  const places = [true, false].flatMap((above) => [true, false].map((right) => ({ right, above })));
  if (lines.length > RICH) return places[0];
  const covered = places.map(({ right, above }) => {
    const [from, to] = right ? [sx.to - width, sx.to] : [sx.from, sx.from + width];
    const [top, bottom] = above ? [y - HEIGHT - 4, y] : [y, y + HEIGHT + 4];
    // What would lie outside of the frame is no place.
    if (top < sy.to || bottom > sy.from) return Infinity;
    return hidden(lines, scales, { from, to, top, bottom });
  });
  return places[covered.indexOf(Math.min(...covered))] ?? places[0];
}

interface Box {
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly bottom: number;
}

/** How much of the lines lies in a box: of each the share of its points there, and something where it only passes through. */
function hidden(lines: readonly DrawnLine[], scales: Scales, { from, to, top, bottom }: Box): number {
  let count = 0;
  for (const line of lines) {
    const { x: sx, y: sy } = scalesFor(scales, line);
    let before: readonly [number, number] = [Number.NaN, Number.NaN];
    let crossed = false;
    for (let i = 0; i < line.x.length; i++) {
      const [px, py] = [toPixel(sx, line.x[i]), toPixel(sy, line.y[i])];
      if (px >= from && px <= to && py >= top && py <= bottom) count += 1 / line.x.length;
      else crossed ||= passes(before, [px, py], { from, to, top, bottom });
      before = [px, py];
    }
    if (crossed) count += 1 / line.x.length;
  }
  return count;
}

/** Whether the segment between two points meets the box: the part of it within the box's sides reaches between top and bottom. */
function passes([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number], box: Box): boolean {
  const [left, right] = [Math.max(Math.min(ax, bx), box.from), Math.min(Math.max(ax, bx), box.to)];
  if (!(left <= right)) return false;
  const at = (x: number): number => (bx === ax ? by : ay + ((by - ay) * (x - ax)) / (bx - ax));
  const [one, other] = bx === ax ? [ay, by] : [at(left), at(right)];
  return Math.min(one, other) <= box.bottom && Math.max(one, other) >= box.top;
}

/** A cross on the x axis, with its reason beside it where there is room. */
export function absentItem(
  { absent = [], lines }: Pick<LineModel, 'absent' | 'lines'>,
  scales: Scales,
  theme: ChartTheme,
  index: number,
): object {
  const { x, y } = scales;
  const { x: at, label } = absent[index];
  const px = toPixel(x, at);
  const py = y.from - 7;
  const others = absent.filter((_, i) => i !== index).map((mark) => Math.abs(toPixel(x, mark.x) - px));
  const room = Math.min(...others, 2 * (x.to - px), 2 * (px - x.from));
  const stroke = { stroke: theme.bad, lineWidth: 2, lineCap: 'round' };
  // Beside an end of the axis the text stands on the inner side.
  const side = px > (x.from + x.to) / 2 ? 'right' : 'left';
  const middle = room > 7 * label.length;
  const wide = 7 * label.length;
  const [from, to] = middle
    ? [px - wide / 2, px + wide / 2]
    : side === 'right'
      ? [px + 5 - wide, px + 5]
      : [px - 5, px - 5 + wide];
  // Above what it would hide, where that leaves it near its cross; else where it is usual.
  const usual = py - 9;
  const foot =
    [0, 1, 2, 3, 4]
      .map((up) => usual - up * HEIGHT)
      .find(
        (bottom) => bottom - HEIGHT > y.to && hidden(lines, scales, { from, to, top: bottom - HEIGHT, bottom }) === 0,
      ) ?? usual;
  return {
    type: 'group',
    children: [
      { type: 'line', shape: { x1: px - 4, y1: py - 4, x2: px + 4, y2: py + 4 }, style: stroke },
      { type: 'line', shape: { x1: px - 4, y1: py + 4, x2: px + 4, y2: py - 4 }, style: stroke },
      ...(middle || others.every((distance) => distance > 7 * label.length)
        ? [
            {
              type: 'text',
              x: middle ? px : side === 'right' ? px + 5 : px - 5,
              y: foot,
              style: {
                text: label,
                align: middle ? 'center' : side,
                verticalAlign: 'bottom',
                fill: theme.bad,
                font: `11px ${theme.font}`,
                backgroundColor: theme.surface,
                padding: [0, 2],
              },
            },
          ]
        : []),
    ],
  };
}

/** @param width of the whole picture */
function xTicks(axis: AxisModel, width: number): Tick[] {
  const { categories, ticks } = axis;
  if (axis.blank === true) return [];
  if (categories !== undefined) return categories.map((label, i) => ({ value: i + 1, label }));
  const inner = width - MARGIN.left - MARGIN.right;
  return ticks === undefined ? ticksOf(axis, Math.max(2, Math.floor(inner / 90))) : ticksAt(ticks);
}

/** Room of the name of each place, less what keeps it apart from the next; undefined for numbers, and where there is none. */
function slotOf({ categories = [] }: AxisModel, width: number): number | undefined {
  const slot = width / categories.length - 8;
  return slot >= LEAST_SLOT && slot < Infinity ? slot : undefined;
}

const LEAST_SLOT = 24;

function axisOption(
  axis: AxisModel,
  theme: ChartTheme,
  ticks: readonly Tick[],
  which: 'x' | 'y' | 'right',
  slot?: number,
): object {
  const values = ticks.map(({ value }) => value);
  return {
    type: axis.log ? 'log' : 'value',
    min: axis.min,
    max: axis.max,
    name: which === 'x' ? scaledLabel(axis.label, axis.log) : undefined,
    nameLocation: 'middle',
    nameGap: 22,
    nameTextStyle: { color: theme.muted, fontSize: 11, fontFamily: theme.font },
    axisLine: { show: which === 'x', onZero: false, lineStyle: { color: theme.line } },
    axisTick: { show: which === 'x', length: 3, lineStyle: { color: theme.line }, customValues: values },
    splitLine: { show: which === 'y', lineStyle: { color: theme.line, width: 1 }, customValues: values },
    axisLabel: {
      customValues: values,
      formatter: labelIn(ticks),
      color: theme.muted,
      fontSize: 11,
      fontFamily: theme.font,
      hideOverlap: true,
      ...(slot === undefined ? {} : { width: slot, overflow: 'truncate' }),
      margin: 6,
    },
  };
}

/** What a y axis is called, along it: only one of two needs that, the head of a chart says it of one. Where that is too long, its unit. */
const nameOption = ({ label, unit = '', log }: AxisModel, height: number, margin: number): object => ({
  name: scaledLabel(unit !== '' && LETTER * label.length > height - MARGIN.top - MARGIN.bottom ? unit : label, log),
  nameLocation: 'middle',
  nameGap: margin - NAME + 4,
  nameTruncate: { maxWidth: height - MARGIN.top - MARGIN.bottom, ellipsis: '…' },
});
