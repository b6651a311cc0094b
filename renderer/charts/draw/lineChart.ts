/**
 * One chart of curves: ECharts draws frame and curves when the model changes; everything that follows the pointer (crosshair,
 * emphasised line, selection) is drawn on a canvas above, so that moving over 500 curves costs one of them.
 */
import { bandEdge, dashesOf, DOT, dotsInside } from '../../../preload/charts/draw/curveItems.ts';
import { CurveLayer } from './curveLayer.ts';
import { buildCurve, isolatedPoints } from '../../../preload/charts/draw/curves.ts';
import { echarts } from '../../../preload/charts/draw/echarts.ts';
import { fit, stretch } from './fit.ts';
import { cancelDraw, drawThisFrame, forgetDraw, requestDraw, showLater } from './frames.ts';
import { lineOption, scalesOf } from '../../../preload/charts/draw/lineOption.ts';
import type { ChartTheme, DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { measuredAt, nearestLine, readingAt } from './nearest.ts';
import type { Near } from './nearest.ts';
import { OldPicture } from './oldPicture.ts';
import { plainOption } from '../../../preload/charts/draw/plainOption.ts';
import { svgOfOption } from '../../../preload/charts/draw/svg.ts';
import { fromPixel, pixelsOf, scalesFor, toPixel } from '../../../preload/charts/draw/scale.ts';
import type { Scales } from '../../../preload/charts/draw/scale.ts';

export interface Pointer {
  readonly px: number;
  readonly py: number;
  /** The x nearest to the pointer at which something was measured: on the meant line, else on any. */
  readonly x: number;
  readonly near: Near | undefined;
}

export interface LineChartEvents {
  hover(pointer: Pointer | undefined): void;
  zoom(range: { readonly from: number; readonly to: number }): void;
  reset(): void;
  pick(line: DrawnLine): void;
}

export class LineChart {
  readonly #host: HTMLElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #events: LineChartEvents;
  readonly #chart: ReturnType<typeof echarts.init>;
  #model: LineModel | undefined;
  #theme: ChartTheme;
  /** Of the host, as last told; both layers are drawn for it in one go. */
  #width = 0;
  #height = 0;
  #scales: Scales | undefined;
  #layer: CurveLayer | undefined;
  #crosshair: number | undefined;
  #emphasis: string | undefined;
  #drag: { from: number; to: number } | undefined;
  readonly #listeners = new AbortController();
  readonly #overlayKey = {};
  readonly #old: OldPicture;

  constructor(host: HTMLElement, overlay: HTMLCanvasElement, theme: ChartTheme, events: LineChartEvents) {
    this.#host = host;
    this.#overlay = overlay;
    this.#theme = theme;
    this.#events = events;
    this.#width = host.clientWidth;
    this.#height = host.clientHeight;
    this.#old = new OldPicture(host);
    this.#chart = echarts.init(host, null, {
      renderer: 'canvas',
      width: this.#width || 10,
      height: this.#height || 10,
    });
    this.#listen();
    this.#fitOverlay();
  }

  get width(): number {
    return this.#width;
  }

  get height(): number {
    return this.#height;
  }

  setModel(model: LineModel): void {
    if (model === this.#model) return;
    this.#model = model;
    requestDraw(this, () => this.#draw());
  }

  setTheme(theme: ChartTheme): void {
    this.#theme = theme;
    requestDraw(this, () => this.#draw());
  }

  /** @returns whether the size changed */
  resize(): boolean {
    const { clientWidth, clientHeight } = this.#host;
    if (clientWidth === this.#width && clientHeight === this.#height) return false;
    if (clientWidth === 0 || clientHeight === 0) return false;
    this.#width = clientWidth;
    this.#height = clientHeight;
    // Both layers keep what they show, stretched, until both are drawn for the new size.
    stretch(this.#chart, this);
    drawThisFrame(this, () => this.#draw());
    return true;
  }

  /** What another chart's pointer, or the run list, points at. */
  point(x: number | undefined, emphasis: string | undefined): void {
    if (x === this.#crosshair && emphasis === this.#emphasis) return;
    this.#crosshair = x;
    this.#emphasis = emphasis;
    requestDraw(this.#overlayKey, () => this.#drawOverlay(), true);
  }

  /** Where a point of a line is drawn. */
  pixelOf({ line, index }: { readonly line: DrawnLine; readonly index: number }): { px: number; py: number } {
    if (this.#scales === undefined) return { px: 0, py: 0 };
    const { x, y } = scalesFor(this.#scales, line);
    return { px: toPixel(x, line.x[index]) + (line.aside ?? 0), py: toPixel(y, line.y[index]) };
  }

  dispose(): void {
    this.#listeners.abort();
    forgetDraw(this);
    cancelDraw(this.#overlayKey);
    this.#chart.dispose();
  }

  /** The chart as it is, for a file. */
  picture(
    kind: 'png' | 'svg',
    { width, height, scale }: { readonly width: number; readonly height: number; readonly scale: number },
  ): Promise<Blob> {
    const layer = kind === 'png' ? new CurveLayer(width, height, scale) : undefined;
    const option = lineOption(this.#model!, this.#theme, width, height, layer);
    return pictureOf(option, kind, width, height, this.#theme.surface, scale);
  }

  #draw(): void {
    if (this.#model === undefined || this.#width === 0) return;
    if (showLater(this, () => this.#show())) this.#old.keep(this.#chart, this.#theme.surface);
    this.#scales = scalesOf(this.#model, this.#width, this.#height);
    fit(this.#chart, this);
    this.#fitOverlay();
    const layer = this.#layerOf(window.devicePixelRatio || 1);
    this.#chart.setOption(plainOption(lineOption(this.#model, this.#theme, this.#width, this.#height, layer)), {
      notMerge: true,
      lazyUpdate: false,
      silent: true,
    });
    // For tests and benchmarks: how many lines, and how fine the first of them is within the range.
    const { lines, x } = this.#model;
    this.#host.dataset.points = String(lines[0]?.x.reduce((n, at) => n + Number(at >= x.min && at <= x.max), 0) ?? 0);
    this.#host.dataset.reduced = String(lines[0]?.reduced === true);
    this.#host.dataset.drawn = String(lines.length);
    if (!this.#old.kept) this.#drawOverlay();
  }

  /** All that changes with it is drawn. */
  #show(): void {
    this.#old.drop();
    this.#drawOverlay();
  }

  #layerOf(ratio: number): CurveLayer {
    if (this.#layer?.fits(this.#width, this.#height, ratio) !== true)
      this.#layer = new CurveLayer(this.#width, this.#height, ratio);
    return this.#layer!;
  }

  #fitOverlay(): void {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.#width * ratio), Math.round(this.#height * ratio)];
    // To set a size, the same too, is to get a new canvas.
    if (this.#overlay.width !== width) this.#overlay.width = width;
    if (this.#overlay.height !== height) this.#overlay.height = height;
  }

  #drawOverlay(): void {
    const ctx = this.#overlay.getContext('2d');
    if (ctx === null || this.#model === undefined || this.#scales === undefined) return;
    const ratio = window.devicePixelRatio || 1;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.#overlay.width, this.#overlay.height);
    const { x: sx, y: sy } = this.#scales;
    const frame = [sx.from, sy.to, sx.to - sx.from, sy.from - sy.to] as const;
    const meant = this.#emphasis === undefined ? [] : this.#model.lines.filter(({ group }) => group === this.#emphasis);
    ctx.save();
    ctx.beginPath();
    ctx.rect(...frame);
    ctx.clip();
    if (meant.length > 0 && this.#model.lines.length > meant.length) {
      ctx.globalAlpha = 0.62;
      ctx.fillStyle = this.#theme.surface;
      ctx.fillRect(...frame);
      ctx.globalAlpha = 1;
    }
    for (const line of meant) this.#drawLine(ctx, line);
    const at =
      this.#crosshair === undefined
        ? undefined
        : measuredAt(meant.length > 0 ? meant : this.#model.lines, this.#crosshair);
    if (at !== undefined) {
      const px = toPixel(sx, at);
      ctx.strokeStyle = this.#theme.muted;
      ctx.lineWidth = 1;
      ctx.setLineDash([3, 3]);
      ctx.beginPath();
      ctx.moveTo(Math.round(px) + 0.5, sy.to);
      ctx.lineTo(Math.round(px) + 0.5, sy.from);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    if (this.#drag !== undefined) this.#drawSelection(ctx, this.#drag);
    ctx.restore();
    // Not cut at the edge of the frame.
    for (const line of meant) this.#drawDots(ctx, line, at);
  }

  #drawSelection(ctx: CanvasRenderingContext2D, drag: { readonly from: number; readonly to: number }): void {
    const { y: sy } = this.#scales!;
    const [from, to] = [drag.from, drag.to].sort((a, b) => a - b);
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = this.#theme.accent;
    ctx.fillRect(from, sy.to, to - from, sy.from - sy.to);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = this.#theme.accent;
    ctx.lineWidth = 1;
    ctx.strokeRect(from + 0.5, sy.to + 0.5, to - from - 1, sy.from - sy.to - 1);
  }

  /** The points of a line that no line can show, and the one that is read at the crosshair. */
  #drawDots(ctx: CanvasRenderingContext2D, line: DrawnLine, at: number | undefined): void {
    const scales = scalesFor(this.#scales!, line);
    ctx.strokeStyle = line.color;
    ctx.lineWidth = DOT + 1;
    ctx.lineCap = 'round';
    ctx.beginPath();
    buildCurve(ctx, { points: dotsInside(isolatedPoints(pixelsOf(line, line.y, scales.x, scales.y)), scales) });
    ctx.stroke();
    ctx.lineCap = 'butt';
    const reading = at === undefined ? undefined : readingAt(line, at);
    if (reading === undefined || !Number.isFinite(reading.value)) return;
    const dot = Float32Array.of(
      toPixel(scales.x, reading.x) + (line.aside ?? 0),
      toPixel(scales.y, reading.value),
      Number.NaN,
      Number.NaN,
    );
    if (dotsInside(dot, scales).length === 0) return;
    ctx.beginPath();
    ctx.arc(dot[0], dot[1], 3.5, 0, 2 * Math.PI);
    ctx.fillStyle = line.color;
    ctx.fill();
    ctx.strokeStyle = this.#theme.surface;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }

  #drawLine(ctx: CanvasRenderingContext2D, line: DrawnLine): void {
    const scales = scalesFor(this.#scales!, line);
    const { x: sx, y: sy } = scales;
    const points = pixelsOf(line, line.y, sx, sy);
    // Bars of marked points stay visible below.
    if (line.low !== undefined && line.high !== undefined && !line.markers) {
      ctx.globalAlpha = 0.22;
      ctx.fillStyle = line.color;
      ctx.beginPath();
      buildCurve(ctx, {
        points: bandEdge(line, line.high, scales),
        below: bandEdge(line, line.low, scales),
      });
      ctx.fill();
      ctx.globalAlpha = 1;
    }
    ctx.strokeStyle = line.color;
    ctx.lineJoin = 'round';
    if (line.raw !== undefined) {
      ctx.globalAlpha = 0.4;
      ctx.lineWidth = 1;
      ctx.beginPath();
      buildCurve(ctx, { points: pixelsOf(line, line.raw, sx, sy) });
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    ctx.lineWidth = 2.4;
    ctx.setLineDash(dashesOf(line, false).lineDash ?? []);
    ctx.beginPath();
    buildCurve(ctx, { points });
    ctx.stroke();
    ctx.setLineDash([]);
  }

  #listen(): void {
    const { signal } = this.#listeners;
    const on = <K extends keyof HTMLElementEventMap>(name: K, handle: (event: HTMLElementEventMap[K]) => void): void =>
      this.#overlay.addEventListener(name, handle, { signal });
    on('pointermove', (event) => {
      if (this.#drag !== undefined) {
        this.#drag.to = this.#inside(event.offsetX);
        requestDraw(this.#overlayKey, () => this.#drawOverlay(), true);
        return;
      }
      this.#events.hover(this.#pointerAt(event.offsetX, event.offsetY));
    });
    on('pointerleave', () => {
      if (this.#drag === undefined) this.#events.hover(undefined);
    });
    on('pointerdown', (event) => {
      if (event.button !== 0 || this.#scales === undefined) return;
      const { x } = this.#scales;
      if (event.offsetX < x.from - 4 || event.offsetX > x.to + 4) return;
      this.#overlay.setPointerCapture(event.pointerId);
      this.#drag = { from: this.#inside(event.offsetX), to: this.#inside(event.offsetX) };
      this.#events.hover(undefined);
    });
    on('pointerup', (event) => {
      const drag = this.#drag;
      this.#drag = undefined;
      requestDraw(this.#overlayKey, () => this.#drawOverlay(), true);
      if (drag === undefined || this.#scales === undefined) return;
      if (Math.abs(drag.to - drag.from) < 5) {
        const pointer = this.#pointerAt(event.offsetX, event.offsetY);
        if (pointer?.near !== undefined) this.#events.pick(pointer.near.line);
        return;
      }
      const [from, to] = [drag.from, drag.to].sort((a, b) => a - b).map((px) => fromPixel(this.#scales!.x, px));
      this.#events.zoom({ from, to });
    });
    on('pointercancel', () => (this.#drag = undefined));
    on('dblclick', () => this.#events.reset());
  }

  #inside(px: number): number {
    const { from, to } = this.#scales!.x;
    return Math.min(to, Math.max(from, px));
  }

  #pointerAt(px: number, py: number): Pointer | undefined {
    if (this.#model === undefined || this.#scales === undefined) return undefined;
    const { x: sx, y: sy } = this.#scales;
    if (px < sx.from - 6 || px > sx.to + 6 || py < sy.to - 6 || py > sy.from + 6) return undefined;
    const at = fromPixel(sx, Math.min(sx.to, Math.max(sx.from, px)));
    const shown = { from: sx.min, to: sx.max };
    const near = nearestLine(this.#model.lines, px, py, at, this.#scales, shown);
    const x = near === undefined ? measuredAt(this.#model.lines, at, shown) : near.line.x[near.index];
    return x === undefined ? undefined : { px, py, x, near };
  }
}

/** Any option as a picture in a file, drawn apart from the screen. */
export async function pictureOf(
  option: object,
  kind: 'png' | 'svg',
  width: number,
  height: number,
  background: string,
  scale: number,
): Promise<Blob> {
  if (kind === 'svg') {
    return new Blob([svgOfOption(option, width, height, background)], { type: 'image/svg+xml' });
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const chart = echarts.init(canvas as unknown as HTMLDivElement, null, {
    renderer: 'canvas',
    width,
    height,
    devicePixelRatio: scale,
  });
  chart.setOption({ ...plainOption(option), backgroundColor: background });
  const url = chart.getDataURL({ type: 'png', pixelRatio: scale, backgroundColor: background });
  chart.dispose();
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (char) => char.charCodeAt(0));
  return new Blob([bytes], { type: 'image/png' });
}
