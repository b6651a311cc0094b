/**
 * All curves of a chart on a canvas of their own, which ECharts lays between its grid and its labels as one picture: an element per curve
 * costs ECharts more than the canvas needs to draw it. Pictures in PNG are made the same way; SVG gets the elements.
 */
import { buildCurve } from '../../../preload/charts/draw/curves.ts';
import type { CurveItem } from '../../../preload/charts/draw/curveItems.ts';
import type { Scales } from '../../../preload/charts/draw/scale.ts';

/** A new canvas of a size in CSS pixels, and how many of its own each of them has. */
export class CurveLayer {
  readonly canvas = document.createElement('canvas');
  readonly width: number;
  readonly height: number;
  readonly #ratio: number;

  constructor(width: number, height: number, ratio: number) {
    this.width = width;
    this.height = height;
    this.#ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** Whether it can be used for a chart of this size. */
  fits(width: number, height: number, ratio: number): boolean {
    return this.width === width && this.height === height && this.#ratio === ratio;
  }

  paint(items: readonly CurveItem[], scales: Scales): void {
    // Drawn where it is used: many short strokes cost a graphics card more than to send it what they give.
    const ctx = this.canvas.getContext('2d', { willReadFrequently: true });
    if (ctx === null) return;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.scale(this.canvas.width / this.width, this.canvas.height / this.height);
    paintCurves(ctx, items, scales);
  }
}

/** In the order in which they lie above one another, cut at the frame but for dots that are whole. */
export function paintCurves(ctx: CanvasRenderingContext2D, items: readonly CurveItem[], { x, y }: Scales): void {
  const cut = (whole: boolean): void => {
    ctx.save();
    if (whole) return;
    ctx.beginPath();
    ctx.rect(x.from, y.to, x.to - x.from, y.from - y.to);
    ctx.clip();
  };
  let whole: boolean | undefined;
  for (const item of items.toSorted((a, b) => a.z2 - b.z2)) {
    const now = item.whole === true;
    if (now !== whole) {
      if (whole !== undefined) ctx.restore();
      cut(now);
      whole = now;
    }
    paintCurve(ctx, item);
  }
  if (whole !== undefined) ctx.restore();
}

function paintCurve(ctx: CanvasRenderingContext2D, { shape, style }: CurveItem): void {
  const { fill, stroke, opacity = 1, lineWidth = 1, lineJoin = 'miter', lineCap = 'butt', lineDash = [] } = style;
  ctx.globalAlpha = opacity;
  ctx.beginPath();
  buildCurve(ctx, shape.curve);
  if (fill !== null) {
    ctx.fillStyle = fill;
    ctx.fill();
  }
  if (stroke === null) return;
  ctx.strokeStyle = stroke;
  ctx.lineWidth = lineWidth;
  ctx.lineJoin = lineJoin;
  ctx.lineCap = lineCap;
  ctx.setLineDash([...lineDash]);
  ctx.stroke();
}
