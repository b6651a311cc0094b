/** Which line the pointer means, and which of its points. */
import { lowerBound, nearestIndex, valueAt } from '../../../preload/charts/series/line.ts';
import type { DrawnLine } from '../../../preload/charts/draw/model.ts';
import { scalesFor, toPixel } from '../../../preload/charts/draw/scale.ts';
import type { Scales } from '../../../preload/charts/draw/scale.ts';

/** Beyond so many pixels no line is meant. */
const REACH = 40;

export interface Near {
  readonly line: DrawnLine;
  /** Distance in pixels. */
  readonly distance: number;
  /** Index of the nearest point. */
  readonly index: number;
}

/** The part of x that is shown: points outside of it are drawn towards, but not pointed at. */
export interface Shown {
  readonly from: number;
  readonly to: number;
}

export function nearestLine(
  lines: readonly DrawnLine[],
  px: number,
  py: number,
  at: number,
  scales: Scales,
  shown?: Shown,
): Near | undefined {
  let best: Near | undefined;
  for (const line of lines) {
    const { x, y } = scalesFor(scales, line);
    if (!line.increasing) {
      for (let i = 0; i < line.x.length; i++) {
        if (shown !== undefined && (line.x[i] < shown.from || line.x[i] > shown.to)) continue;
        const distance = Math.hypot(toPixel(x, line.x[i]) - px, toPixel(y, line.y[i]) - py);
        if (distance < (best?.distance ?? REACH)) best = { line, distance, index: i };
      }
      continue;
    }
    const index = nearestShown(line, at, shown);
    if (index < 0) continue;
    let value = valueAt(line.x, line.y, at);
    let aside = 0;
    if (!Number.isFinite(value)) {
      value = line.y[index];
      aside = Math.abs(toPixel(x, line.x[index]) + (line.aside ?? 0) - px);
    }
    // What is beyond the frame is drawn to its edge.
    const drawn = Math.min(Math.max(y.from, y.to), Math.max(Math.min(y.from, y.to), toPixel(y, value)));
    const distance = Math.hypot(aside, drawn - py);
    if (distance < (best?.distance ?? REACH)) best = { line, distance, index };
  }
  return best;
}

/** Index of the point nearest to `at` that is shown and has a value; −1 when there is none. */
function nearestShown({ x, y }: DrawnLine, at: number, shown: Shown = { from: -Infinity, to: Infinity }): number {
  const from = lowerBound(x, shown.from);
  const usable = (i: number): boolean => i >= from && i < x.length && x[i] <= shown.to && Number.isFinite(y[i]);
  const middle = nearestIndex(x, at);
  if (middle < 0) return -1;
  for (let away = 0; away < x.length; away++) {
    const [left, right] = [middle - away, middle + away];
    if (left < from && (right >= x.length || x[right] > shown.to)) return -1;
    if (usable(left) && usable(right)) return at - x[left] <= x[right] - at ? left : right;
    if (usable(left)) return left;
    if (usable(right)) return right;
  }
  return -1;
}

/** The x nearest to `at` at which one of the lines has a value; undefined when none has any. */
export function measuredAt(lines: readonly DrawnLine[], at: number, shown?: Shown): number | undefined {
  let best: number | undefined;
  for (const line of lines) {
    const index = line.increasing ? nearestShown(line, at, shown) : nearestOf(line.x, at, shown);
    if (index < 0) continue;
    if (best === undefined || Math.abs(line.x[index] - at) < Math.abs(best - at)) best = line.x[index];
  }
  return best;
}

function nearestOf(x: Float64Array, at: number, shown: Shown = { from: -Infinity, to: Infinity }): number {
  let best = -1;
  for (let i = 0; i < x.length; i++) {
    if (x[i] < shown.from || x[i] > shown.to) continue;
    if (best < 0 || Math.abs(x[i] - at) < Math.abs(x[best] - at)) best = i;
  }
  return best;
}

export interface Reading {
  readonly index: number;
  /** Where it was measured: the line's own point, which need not be the x that was asked for. */
  readonly x: number;
  readonly value: number;
}

/** A line's value at x for reading: its own nearest point, when that is within half a point's distance of its range. */
export function readingAt(line: DrawnLine, at: number): Reading | undefined {
  const { x, y } = line;
  const index = line.increasing ? nearestIndex(x, at) : nearestOf(x, at);
  if (index < 0) return undefined;
  if (line.increasing) {
    const gap = x.length > 1 ? (x[x.length - 1] - x[0]) / (x.length - 1) : Infinity;
    if (at < x[0] - gap / 2 || at > x[x.length - 1] + gap / 2) return undefined;
  }
  return { index, x: x[index], value: y[index] };
}
