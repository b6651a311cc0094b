/**
 * A shape for ECharts' custom series that draws a whole curve from one typed array. A line series per run costs a model, a data
 * list and a view each (seconds for 500 runs); this costs one path.
 */
import * as echarts from 'echarts/core';

export interface CurveShape {
  /** x, y, x, y … in pixels; NaN is a gap. */
  readonly points: Float32Array;
  /** Lower edge of a band, in the same order. With it the shape is the area between both. */
  readonly below?: Float32Array;
}

/** Of a canvas what a curve needs; of ECharts' SVG likewise. */
export interface CurvePath {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

/** Draws the line, or fills one area per stretch without a gap. */
export function buildCurve(ctx: CurvePath, { points, below }: CurveShape): void {
  const n = points.length / 2;
  if (below === undefined) {
    let drawing = false;
    for (let i = 0; i < n; i++) {
      const x = points[2 * i];
      if (Number.isNaN(x)) {
        drawing = false;
        continue;
      }
      const y = points[2 * i + 1];
      if (drawing) ctx.lineTo(x, y);
      else {
        ctx.moveTo(x, y);
        // Without a length a point alone has no caps: where they are round, it is a dot.
        if (i + 1 === n || Number.isNaN(points[2 * (i + 1)])) ctx.lineTo(x + 0.01, y);
      }
      drawing = true;
    }
    return;
  }
  for (let from = 0; from < n;) {
    if (Number.isNaN(points[2 * from]) || Number.isNaN(below[2 * from])) {
      from++;
      continue;
    }
    let to = from;
    while (to + 1 < n && !Number.isNaN(points[2 * (to + 1)]) && !Number.isNaN(below[2 * (to + 1)])) to++;
    ctx.moveTo(points[2 * from], points[2 * from + 1]);
    for (let i = from + 1; i <= to; i++) ctx.lineTo(points[2 * i], points[2 * i + 1]);
    for (let i = to; i >= from; i--) ctx.lineTo(below[2 * i], below[2 * i + 1]);
    ctx.closePath();
    from = to + 1;
  }
}

/** Of a curve in pixels the points without a neighbour on either side, each with a gap behind it: a line cannot show them. */
export function isolatedPoints(points: Float32Array): Float32Array {
  const found: number[] = [];
  let gapBefore = true;
  for (let i = 0; i < points.length; i += 2) {
    const gap = Number.isNaN(points[i]);
    if (gapBefore && !gap && (i + 2 >= points.length || Number.isNaN(points[i + 2])))
      found.push(points[i], points[i + 1], Number.NaN, Number.NaN);
    gapBefore = gap;
  }
  return Float32Array.from(found);
}

export const Curves = echarts.graphic.extendShape({
  shape: { curve: { points: new Float32Array() } as CurveShape },
  // Wrapped in an object, which ECharts hands on; a bare array it would copy number by number at every drawing.
  buildPath(ctx: CurvePath, { curve }: { readonly curve: CurveShape }) {
    buildCurve(ctx, curve);
  },
} as unknown as Parameters<typeof echarts.graphic.extendShape>[0]);
