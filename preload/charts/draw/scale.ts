/** From values to pixels. One axis of a chart: its range, its kind, and where it lies on the canvas. */
import { LARGEST, tame } from '../series/extent.ts';

export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  /** Pixel of `min` and of `max`; for y the first is the larger one. */
  readonly from: number;
  readonly to: number;
}

/** The axes of a chart. */
export interface Scales {
  readonly x: Scale;
  readonly y: Scale;
  /** Of values in another unit than those of `y`. */
  readonly right?: Scale;
}

/** The two by which a line, or what else has a value, is drawn. */
export const scalesFor = (scales: Scales, { right }: { readonly right?: boolean }): Scales =>
  right === true && scales.right !== undefined ? { x: scales.x, y: scales.right } : scales;

export function toPixel(scale: Scale, given: number): number {
  const { min, max, log, from, to } = scale;
  const value = tame(given);
  if (log) {
    if (value <= 0) return Number.NaN;
    const low = Math.log(min);
    return from + ((Math.log(value) - low) / (Math.log(max) - low)) * (to - from);
  }
  return from + ((value - min) / (max - min)) * (to - from);
}

export function fromPixel(scale: Scale, pixel: number): number {
  const { min, max, log, from, to } = scale;
  const share = (pixel - from) / (to - from);
  return log ? min * (max / min) ** share : min + share * (max - min);
}

/** As `toPixels`, of a line that is drawn beside its x. */
export function pixelsOf(
  { x, aside = 0 }: { readonly x: ArrayLike<number>; readonly aside?: number },
  y: ArrayLike<number>,
  sx: Scale,
  sy: Scale,
): Float32Array {
  const points = toPixels(x, y, sx, sy);
  if (aside !== 0) for (let i = 0; i < points.length; i += 2) points[i] += aside;
  return points;
}

/** As {@link everyPixel}; lines with more than four points per pixel column keep the first, lowest, highest and last of each. */
export function toPixels(x: ArrayLike<number>, y: ArrayLike<number>, sx: Scale, sy: Scale): Float32Array {
  const points = everyPixel(x, y, sx, sy);
  return points.length > 8 * Math.abs(sx.to - sx.from) ? thin(points) : points;
}

/** In pixels. */
const FURTHEST = 1e6;

/** Points of a curve as x, y, x, y … in pixels, one for each. NaN stays NaN: a gap. */
export function everyPixel(x: ArrayLike<number>, y: ArrayLike<number>, sx: Scale, sy: Scale): Float32Array {
  const n = Math.min(x.length, y.length);
  const lowX = sx.log ? Math.log(sx.min) : sx.min;
  const factorX = (sx.to - sx.from) / ((sx.log ? Math.log(sx.max) : sx.max) - lowX || 1);
  const lowY = sy.log ? Math.log(sy.min) : sy.min;
  const factorY = (sy.to - sy.from) / ((sy.log ? Math.log(sy.max) : sy.max) - lowY || 1);
  const points = new Float32Array(2 * n);
  // Far outside values would overflow the rasteriser; a frame's height beyond the frame is as good.
  const top = sy.to - (sy.from - sy.to) * 4;
  const bottom = sy.from + (sy.from - sy.to) * 4;
  // Along x a point that is left out stays so far away that lines to it keep their slope.
  const aside = (px: number): number => Math.min(FURTHEST, Math.max(-FURTHEST, px));
  for (let i = 0; i < n; i++) {
    const value = y[i];
    const across = sx.log ? Math.log(x[i]) : tame(x[i]);
    const up = sy.log ? Math.log(value) : value > LARGEST || value < -LARGEST ? tame(value) : value;
    const px = sx.from + (across - lowX) * factorX;
    const py = sy.from + (up - lowY) * factorY;
    // True where neither is NaN or infinite; their pixels may be.
    const visible = across - across + (up - up) === 0;
    points[2 * i] = visible ? aside(px) : Number.NaN;
    points[2 * i + 1] = !visible ? Number.NaN : py < top ? top : py > bottom ? bottom : py;
  }
  return points;
}

function thin(points: Float32Array): Float32Array {
  const kept: number[] = [];
  const n = points.length / 2;
  for (let i = 0; i < n;) {
    const column = Math.floor(points[2 * i]);
    let least = i;
    let most = i;
    let j = i;
    while (j + 1 < n && Math.floor(points[2 * (j + 1)]) === column) {
      j++;
      if (points[2 * j + 1] < points[2 * least + 1]) least = j;
      if (points[2 * j + 1] > points[2 * most + 1]) most = j;
    }
    for (const k of new Set([i, Math.min(least, most), Math.max(least, most), j]))
      kept.push(points[2 * k], points[2 * k + 1]);
    i = j + 1;
  }
  return Float32Array.from(kept);
}
