/** What is drawn of the lines of a chart: curves, bands, bars and dots in pixels, each with its look. For the screen and for files alike. */
import { lowerBound } from '../series/line.ts';
import { isolatedPoints } from './curves.ts';
import type { CurveShape } from './curves.ts';
import type { AxisModel, DrawnLine, LineModel } from './model.ts';
import type { Scales } from './scale.ts';
import { everyPixel, pixelsOf, scalesFor, toPixel } from './scale.ts';

/** Beyond so many lines, raw lines and envelopes under the lines only make mud, slowly. */
export const RICH = 120;

/** As a canvas and ECharts both name it; what is absent is as a new canvas has it. */
export interface CurveStyle {
  readonly fill: string | null;
  readonly stroke: string | null;
  readonly opacity?: number;
  readonly lineWidth?: number;
  readonly lineJoin?: 'bevel' | 'miter' | 'round';
  readonly lineCap?: 'butt' | 'round' | 'square';
  readonly lineDash?: readonly number[];
}

export interface CurveItem {
  readonly type: 'curves';
  readonly shape: { readonly curve: CurveShape };
  readonly style: CurveStyle;
  /** Higher ones lie above lower ones, and of equal ones the later above the earlier. */
  readonly z2: number;
  /** Dots are whole where their middle is inside of the frame, as on its edge: they are not cut there. */
  readonly whole?: true;
}

const FAINT = { lineWidth: 0.8, opacity: 0.3 };

/**
 * Bands lie under raw lines, these under the lines themselves.
 *
 * @param surface colour of the inside of hollow points
 */
export function curveItems(model: LineModel, both: Scales, surface = 'transparent'): CurveItem[] {
  const items: CurveItem[] = [];
  const strong = model.lines.filter(({ faint }) => !faint).length;
  const rich = strong <= RICH;
  const width = strong > 40 ? 1 : 1.6;
  for (const whole of model.lines) {
    const line = withinWindow(whole, model.x);
    const scales = scalesFor(both, whole);
    const points = pixelsOf(line, line.y, scales.x, scales.y);
    if (line.markers) {
      items.push(...markerItems(line, scales, surface));
    } else {
      items.push(...dotsOf(line, points, scales));
      const [low, high] = rich ? [line.low, line.high] : [];
      if (low !== undefined && high !== undefined)
        items.push({
          type: 'curves',
          shape: { curve: { points: bandEdge(line, high, scales), below: bandEdge(line, low, scales) } },
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
      lineJoin: 'bevel' as const,
      opacity: strong > 150 ? 0.7 : 1,
    };
    for (const [part, partial] of partsOf(line.y, line.markers ? undefined : line.n, line.runs))
      items.push({
        type: 'curves',
        shape: { curve: { points: part === line.y ? points : pixelsOf(line, part, scales.x, scales.y) } },
        style: { ...stroke, ...dashesOf(line, partial), ...(line.faint ? FAINT : {}) },
        z2: line.faint ? 2 : 3,
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

const lookOf = ({ id, group, label, color, dash, faint, runs, reduced, increasing }: DrawnLine) => ({
  id,
  group,
  label,
  color,
  ...(dash === undefined ? {} : { dash }),
  ...(faint === undefined ? {} : { faint }),
  ...(runs === undefined ? {} : { runs }),
  ...(reduced === undefined ? {} : { reduced }),
  increasing,
});

/** What a line of one point, or a value between two gaps, is drawn as: a dot, with its band as a bar. */
function dotsOf(line: DrawnLine, points: Float32Array, scales: Scales): CurveItem[] {
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
function markerItems(line: DrawnLine, scales: Scales, surface: string): CurveItem[] {
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
export function bandEdge({ x, y, n }: DrawnLine, edge: Float64Array, { x: sx, y: sy }: Scales): Float32Array {
  const [beyond, far] =
    n === undefined ? [-Infinity, Infinity] : [sy.min - (sy.max - sy.min), sy.max + (sy.max - sy.min)];
  let shown = edge;
  for (let i = 0; i < edge.length; i++) {
    const away = y[i] > far || y[i] < beyond;
    if (!away && !(sy.log && edge[i] <= 0)) continue;
    if (shown === edge) shown = edge.slice();
    // On a logarithmic axis the lower edge of a band may be negative; it then ends at the frame.
    shown[i] = away ? Number.NaN : sy.min / 10;
  }
  return everyPixel(x, shown, sx, sy);
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
