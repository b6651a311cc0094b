/** Which line the pointer means. */
import { nearestIndex, valueAt } from '../series/line.ts';
import type { DrawnLine } from './model.ts';
import type { Scale } from './scale.ts';
import { toPixel } from './scale.ts';

/** Beyond so many pixels no line is meant. */
const REACH = 40;

export interface Near {
  readonly line: DrawnLine;
  /** Distance in pixels. */
  readonly distance: number;
  /** Index of the nearest point. */
  readonly index: number;
}

export function nearestLine(
  lines: readonly DrawnLine[],
  px: number,
  py: number,
  at: number,
  x: Scale,
  y: Scale,
): Near | undefined {
  let best: Near | undefined;
  for (const line of lines) {
    if (!line.increasing) {
      for (let i = 0; i < line.x.length; i++) {
        const distance = Math.hypot(toPixel(x, line.x[i]) - px, toPixel(y, line.y[i]) - py);
        if (distance < (best?.distance ?? REACH)) best = { line, distance, index: i };
      }
      continue;
    }
    const index = nearestIndex(line.x, at);
    if (index < 0) continue;
    let value = valueAt(line.x, line.y, at);
    let aside = 0;
    if (!Number.isFinite(value)) {
      value = line.y[index];
      aside = Math.abs(toPixel(x, line.x[index]) - px);
    }
    const distance = Math.hypot(aside, toPixel(y, value) - py);
    if (distance < (best?.distance ?? REACH)) best = { line, distance, index };
  }
  return best;
}

/** A line's value at x for reading: its own nearest point, when that is within half a point's distance of its range. */
export function readingAt(line: DrawnLine, at: number): { readonly index: number; readonly value: number } | undefined {
  const index = nearestIndex(line.x, at);
  if (index < 0) return undefined;
  const { x } = line;
  if (!line.increasing) return { index, value: line.y[index] };
  const gap = x.length > 1 ? (x[x.length - 1] - x[0]) / (x.length - 1) : Infinity;
  if (at < x[0] - gap / 2 || at > x[x.length - 1] + gap / 2) return undefined;
  return { index, value: line.y[index] };
}
