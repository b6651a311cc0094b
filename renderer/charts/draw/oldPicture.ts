/** What a chart showed, kept in sight above it while it is drawn anew: until all that change together are drawn. */
import type { EChart } from '../../../preload/charts/draw/echarts.ts';

export class OldPicture {
  readonly #host: HTMLElement;
  #canvas: HTMLCanvasElement | undefined;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  get kept(): boolean {
    return this.#canvas?.hidden === false;
  }

  /** @param surface what shows through where a chart draws nothing */
  keep(chart: EChart, surface: string): void {
    if (this.kept) return;
    this.#canvas ??= this.#made();
    const layers = [...chart.getZr().painter.getViewportRoot().querySelectorAll('canvas')];
    const [{ width, height } = { width: 0, height: 0 }] = layers;
    if (width === 0) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    const ctx = this.#canvas.getContext('2d')!;
    ctx.fillStyle = surface;
    ctx.fillRect(0, 0, width, height);
    for (const layer of layers) ctx.drawImage(layer, 0, 0);
    this.#canvas.hidden = false;
  }

  drop(): void {
    if (this.#canvas !== undefined) this.#canvas.hidden = true;
  }

  /** A new size stretches it, as it does what it covers. */
  #made(): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    Object.assign(canvas.style, { position: 'absolute', inset: '0', width: '100%', height: '100%' });
    canvas.hidden = true;
    this.#host.append(canvas);
    return canvas;
  }
}
