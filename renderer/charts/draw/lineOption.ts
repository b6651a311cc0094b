/** A LineModel as an ECharts option: axes by ECharts, all curves by one custom series. Used on screen and for exports. */
import type { CustomSeriesRenderItem } from 'echarts/types/dist/shared';
import { scaledLabel, ticksAt, ticksOf } from '../format.ts';
import type { Tick } from '../format.ts';
import { isolatedPoints } from './curves.ts';
import type { CurveShape } from './curves.ts';
import type { AxisModel, ChartTheme, DrawnLine, LineModel } from './model.ts';
import type { Scale } from './scale.ts';
import { pixelsOf, toPixel, toPixels } from './scale.ts';
import { lowerBound } from '../series/line.ts';

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const MARGIN: Frame = { left: 52, top: 8, right: 12, bottom: 36 };
/** Width of a figure of a label, and what stands between it and the frame. */
const FIGURE = 6.4;
const BESIDE = 12;

export interface Scales {
  readonly x: Scale;
  readonly y: Scale;
}

/** Room for the labels of y; equal for charts of usual numbers, so that their frames stand below each other. */
function marginOf({ y }: LineModel, height: number): Frame {
  const longest = Math.max(0, ...yTicks(y, height).map(({ label }) => label.length));
  return { ...MARGIN, left: Math.max(MARGIN.left, Math.ceil(FIGURE * longest) + BESIDE) };
}

const yTicks = (y: AxisModel, height: number): Tick[] =>
  ticksOf(y, Math.max(2, Math.floor((height - MARGIN.top - MARGIN.bottom) / 32)));

export function scalesOf(model: LineModel, width: number, height: number, margin = marginOf(model, height)): Scales {
  const of = ({ min, max, log }: AxisModel, from: number, to: number): Scale => ({ min, max, log, from, to });
  return {
    x: of(model.x, margin.left, width - margin.right),
    y: of(model.y, height - margin.bottom, margin.top),
  };
}

/** Beyond so many lines, raw lines and envelopes under the lines only make mud, slowly. */
const RICH = 120;

interface Item {
  readonly type: 'curves';
  readonly shape: { readonly curve: CurveShape };
  readonly style: Readonly<Record<string, unknown>>;
  readonly z2: number;
  /** Dots are whole where their middle is inside of the frame, as on its edge: they are not cut there. */
  readonly whole?: true;
}

/** Bands lie under raw lines, these under the lines themselves. */
/** @param surface colour of the inside of hollow points */
function curveItems(model: LineModel, scales: Scales, surface = 'transparent'): Item[] {
  const items: Item[] = [];
  const rich = model.lines.length <= RICH;
  const width = model.lines.length > 40 ? 1 : 1.6;
  for (const whole of model.lines) {
    const line = withinWindow(whole, model.x);
    const points = pixelsOf(line, line.y, scales.x, scales.y);
    if (line.markers) {
      items.push(...markerItems(line, scales, surface));
    } else {
      items.push(...dotsOf(line, points, scales));
      const [low, high] = rich ? [line.low, line.high] : [];
      if (low !== undefined && high !== undefined)
        items.push({
          type: 'curves',
          shape: { curve: { points: untouched(line, high, scales), below: untouched(line, low, scales) } },
          style: { fill: line.color, opacity: 0.16, stroke: null },
          z2: 1,
        });
    }
    if (rich && line.raw !== undefined)
      items.push({
        type: 'curves',
        shape: { curve: { points: pixelsOf(line, line.raw, scales.x, scales.y) } },
        style: { fill: null, stroke: line.color, opacity: 0.28, lineWidth: 1, lineJoin: 'bevel' },
        z2: 2,
      });
    const stroke = {
      fill: null,
      stroke: line.color,
      lineWidth: width,
      lineJoin: 'bevel',
      opacity: model.lines.length > 150 ? 0.7 : 1,
    };
    for (const [part, partial] of partsOf(line.y, line.markers ? undefined : line.n, line.runs))
      items.push({
        type: 'curves',
        shape: { curve: { points: part === line.y ? points : pixelsOf(line, part, scales.x, scales.y) } },
        style: { ...stroke, ...dashesOf(line, partial) },
        z2: 3,
      });
  }
  return items;
}

/**
 * The points of a line in the shown part of x, and on either side the one that leads there and the one behind it, by which that is seen to be
 * no dot: all that a zoomed chart draws of it.
 */
function withinWindow(line: DrawnLine, { min, max }: AxisModel): DrawnLine {
  const { x, y, n, raw, increasing } = line;
  if (!increasing || line.markers || x.length === 0 || (x[0] >= min && x[x.length - 1] <= max)) return line;
  const from = Math.max(0, lowerBound(x, min) - 2);
  let to = lowerBound(x, max);
  while (to < x.length && x[to] === max) to++;
  to = Math.min(x.length, to + 2);
  return {
    ...lookOf(line),
    x: x.subarray(from, to),
    y: y.subarray(from, to),
    ...(n === undefined ? {} : { n: n.subarray(from, to) }),
    ...(raw === undefined ? {} : { raw: raw.subarray(from, to) }),
    // Looked at only where they are drawn.
    get low() {
      return line.low?.subarray(from, to);
    },
    get high() {
      return line.high?.subarray(from, to);
    },
  };
}

const lookOf = ({ id, group, label, color, dash, runs, reduced, increasing }: DrawnLine) => ({
  id,
  group,
  label,
  color,
  ...(dash === undefined ? {} : { dash }),
  ...(runs === undefined ? {} : { runs }),
  ...(reduced === undefined ? {} : { reduced }),
  increasing,
});

/** What a line of one point, or a value between two gaps, is drawn as: a dot, with its band as a bar. */
function dotsOf(line: DrawnLine, points: Float32Array, scales: Scales): Item[] {
  const { x: sx, y: sy } = scales;
  const dots = isolatedPoints(points);
  if (dots.length === 0) return [];
  const { x, y, low, high, color, n } = line;
  const bars: number[] = [];
  if (n !== undefined && low !== undefined && high !== undefined)
    for (let i = 0; i < y.length; i++) {
      const alone = !Number.isFinite(y[i - 1] ?? Number.NaN) && !Number.isFinite(y[i + 1] ?? Number.NaN);
      if (!alone || !Number.isFinite(low[i]) || !Number.isFinite(high[i])) continue;
      const px = toPixel(sx, x[i]);
      bars.push(
        px,
        sy.log && low[i] <= 0 ? sy.from : toPixel(sy, low[i]),
        px,
        toPixel(sy, high[i]),
        Number.NaN,
        Number.NaN,
      );
    }
  return [
    {
      type: 'curves',
      shape: { curve: { points: Float32Array.from(bars) } },
      style: { fill: null, stroke: color, lineWidth: 1.5, opacity: 0.55 },
      z2: 2,
    },
    {
      type: 'curves',
      shape: { curve: { points: dotsInside(dots, scales) } },
      style: { fill: null, stroke: color, lineWidth: DOT, lineCap: 'round' },
      z2: 4,
      whole: true,
    },
  ];
}
export const DOT = 6;

/** Of dots with a gap behind each those with their middle inside of the frame, its edges included. */
export function dotsInside(dots: Float32Array, { x, y }: Scales): Float32Array {
  const kept: number[] = [];
  for (let i = 0; i < dots.length; i += 4) {
    const [px, py] = [dots[i], dots[i + 1]];
    if (px >= x.from - 0.5 && px <= x.to + 0.5 && py >= y.to - 0.5 && py <= y.from + 0.5)
      kept.push(px, py, Number.NaN, Number.NaN);
  }
  return Float32Array.from(kept);
}

/** Dashes of a chart's metrics; the first is drawn solid. Line and gap, in pixels. */
export const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [5, 2, 2, 2, 2, 2], [12, 4]];

/** Of the metric; a mean of fewer runs than the group has is dashed too, or paler where the dashes are taken. */
export function dashesOf({ dash = 0 }: DrawnLine, partial: boolean): { lineDash?: number[]; opacity?: number } {
  if (dash > 0) return { lineDash: [...DASHES[dash % DASHES.length]], ...(partial ? { opacity: 0.5 } : {}) };
  return partial ? { lineDash: [4, 3] } : {};
}

/** Error bars and dots. */
function markerItems(line: DrawnLine, scales: Scales, surface: string): Item[] {
  const { x: sx, y: sy } = scales;
  const bars: number[] = [];
  const dots: number[] = [];
  const hollow: number[] = [];
  for (let i = 0; i < line.x.length; i++) {
    const px = toPixel(sx, line.x[i]) + (line.aside ?? 0);
    const py = toPixel(sy, line.y[i]);
    if (Number.isNaN(px) || Number.isNaN(py)) continue;
    const [low, high] = [line.low?.[i] ?? Number.NaN, line.high?.[i] ?? Number.NaN];
    if (Number.isFinite(low) && Number.isFinite(high)) {
      const bottom = sy.log && low <= 0 ? sy.from : toPixel(sy, low);
      bars.push(px, bottom, px, toPixel(sy, high), Number.NaN, Number.NaN);
    }
    dots.push(px, py, Number.NaN, Number.NaN);
    if (line.planned !== undefined && (line.n?.[i] ?? 0) < line.planned[i]) hollow.push(px, py, Number.NaN, Number.NaN);
  }
  return [
    {
      type: 'curves',
      shape: { curve: { points: Float32Array.from(bars) } },
      style: { fill: null, stroke: line.color, lineWidth: 1.5, opacity: 0.55 },
      z2: 2,
    },
    {
      type: 'curves',
      shape: { curve: { points: dotsInside(Float32Array.from(dots), scales) } },
      style: { fill: null, stroke: line.color, lineWidth: 7, lineCap: 'round' },
      z2: 4,
      whole: true,
    },
    {
      type: 'curves',
      shape: { curve: { points: dotsInside(Float32Array.from(hollow), scales) } },
      style: { fill: null, stroke: surface, lineWidth: 3.5, lineCap: 'round' },
      z2: 5,
      whole: true,
    },
  ];
}

/**
 * A band's edges must keep their common order, so they are never thinned. Where the mean of a group is far outside of the frame its band
 * says nothing there, and would hide the others.
 */
function untouched({ x, y, n }: DrawnLine, edge: Float64Array, { x: sx, y: sy }: Scales): Float32Array {
  const [beyond, far] =
    n === undefined ? [-Infinity, Infinity] : [sy.min - (sy.max - sy.min), sy.max + (sy.max - sy.min)];
  const shown = new Float64Array(edge.length);
  for (let i = 0; i < edge.length; i++) {
    const v = edge[i];
    // On a logarithmic axis the lower edge of a band may be negative; it then ends at the frame.
    shown[i] = y[i] > far || y[i] < beyond ? Number.NaN : sy.log && v <= 0 ? sy.min / 10 : v;
  }
  return toPixels(x, shown, sx, sy);
}

/** A mean is solid where all runs of the group are in it, dashed where some have ended or not begun. */
function partsOf(
  y: Float64Array,
  n: Uint32Array | undefined,
  runs: number | undefined,
): (readonly [Float64Array, boolean])[] {
  if (n === undefined || runs === undefined || n.every((count) => count === runs || count === 0)) return [[y, false]];
  const solid = y.slice();
  const dashed = y.slice();
  for (let i = 0; i < y.length; i++) {
    if (n[i] !== runs) solid[i] = Number.NaN;
    // One point of overlap on each side, so that the line has no hole where it changes.
    else if (n[i - 1] === runs && n[i + 1] === runs) dashed[i] = Number.NaN;
    else if ((i === 0 || n[i - 1] === runs) && (i === y.length - 1 || n[i + 1] === runs)) dashed[i] = Number.NaN;
  }
  return [
    [solid, false],
    [dashed, true],
  ];
}

export function lineOption(
  model: LineModel,
  theme: ChartTheme,
  width: number,
  height: number,
): Record<string, unknown> {
  const margin = marginOf(model, height);
  const scales = scalesOf(model, width, height, margin);
  const items = curveItems(model, scales, theme.surface);
  const absent = model.absent ?? [];
  const curves = (drawn: readonly Item[], clip: boolean): object => ({
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
  return {
    animation: false,
    // Its place is known, and the curves are drawn for it: measuring the labels to move it takes a fifth of the time.
    grid: { ...margin, containLabel: false, outerBoundsMode: 'none', show: false },
    xAxis: axisOption(model.x, theme, xTicks(model.x, width - margin.left - margin.right), 'x'),
    yAxis: axisOption(model.y, theme, yTicks(model.y, height), 'y'),
    series: [
      curves(
        items.filter(({ whole }) => whole !== true),
        true,
      ),
      curves(
        items.filter(({ whole }) => whole === true),
        false,
      ),
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

function referenceItem(model: LineModel, scales: Scales, theme: ChartTheme, index: number): object | undefined {
  const { value, label } = model.references[index];
  const y = toPixel(scales.y, value);
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
  { x: sx, y: sy }: Scales,
  y: number,
  width: number,
): { readonly right: boolean; readonly above: boolean } {
  const places = [true, false].flatMap((above) => [true, false].map((right) => ({ right, above })));
  if (lines.length > RICH) return places[0];
  const covered = places.map(({ right, above }) => {
    const [from, to] = right ? [sx.to - width, sx.to] : [sx.from, sx.from + width];
    const [top, bottom] = above ? [y - HEIGHT - 4, y] : [y, y + HEIGHT + 4];
    // What would lie outside of the frame is no place.
    if (top < sy.to || bottom > sy.from) return Infinity;
    return hidden(lines, { x: sx, y: sy }, { from, to, top, bottom });
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
function hidden(lines: readonly DrawnLine[], { x: sx, y: sy }: Scales, { from, to, top, bottom }: Box): number {
  let count = 0;
  for (const line of lines) {
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

function xTicks(axis: AxisModel, width: number): Tick[] {
  const { categories, ticks } = axis;
  if (categories !== undefined) return categories.map((label, i) => ({ value: i + 1, label }));
  return ticks === undefined ? ticksOf(axis, Math.max(2, Math.floor(width / 90))) : ticksAt(ticks);
}

function axisOption(axis: AxisModel, theme: ChartTheme, ticks: readonly Tick[], which: 'x' | 'y'): object {
  const values = ticks.map(({ value }) => value);
  // A logarithmic axis gives its ticks back with the dust of its own arithmetic.
  const labelOf = (value: number): string =>
    ticks.find((tick) => Math.abs(tick.value - value) <= 1e-9 * Math.abs(value))?.label ?? '';
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
      formatter: labelOf,
      color: theme.muted,
      fontSize: 11,
      fontFamily: theme.font,
      hideOverlap: true,
      margin: 6,
    },
  };
}
