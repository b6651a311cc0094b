/** Reading a chart by keys: from point to point of a line, and from line to line. */
import { nearestIndex } from '../../../preload/charts/series/line.ts';
import { yOf } from '../../../preload/charts/draw/model.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { toPixel } from '../../../preload/charts/draw/scale.ts';

export interface PointedLine {
  readonly line: DrawnLine;
  readonly index: number;
}

/** Points that Shift, Page up and Page down pass at once. */
const FAR = 10;

/**
 * Where a key leads from what is pointed at; without that from the last point of the first line. Undefined for keys that mean nothing here,
 * and where there is nothing to point at. Points without a value, or outside of what is shown, are passed over.
 */
export function stepPointer(
  model: LineModel,
  from: { readonly near?: PointedLine | undefined } | undefined,
  key: string,
  far = false,
): PointedLine | undefined {
  const { lines, x } = model;
  const readable = (line: DrawnLine): number[] =>
    Array.from(line.x.keys()).filter((i) => Number.isFinite(line.y[i]) && line.x[i] >= x.min && line.x[i] <= x.max);
  const filled = lines.filter((line) => readable(line).length > 0);
  if (!KEYS.has(key) || filled.length === 0) return undefined;
  const at = from?.near;
  const line = filled.find(({ id }) => id === at?.line.id);
  if (at === undefined || line === undefined) {
    const [first] = filled;
    const points = readable(first);
    return { line: first, index: key === 'Home' ? points[0] : points.at(-1)! };
  }
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const place = line.x[at.index];
    // By height at this x, as they are seen: each on its own axis.
    const height = ({ line: each, index }: PointedLine): number =>
      model.right === undefined ? each.y[index] : toPixel({ ...yOf(model, each), from: 0, to: 1 }, each.y[index]);
    const here = filled
      .map((each) => ({ line: each, index: nearestReadable(each, readable(each), place) }))
      .sort((a, b) => height(a) - height(b));
    const now = here.findIndex((each) => each.line.id === line.id);
    return here[Math.min(here.length - 1, Math.max(0, now + (key === 'ArrowUp' ? 1 : -1)))];
  }
  const points = readable(line);
  const now = nearestIndex(points, at.index);
  const by = {
    ArrowLeft: far ? -FAR : -1,
    ArrowRight: far ? FAR : 1,
    PageUp: -FAR,
    PageDown: FAR,
    Home: -Infinity,
    End: Infinity,
  };
  const next = now + by[key as keyof typeof by];
  return { line, index: points[Math.min(points.length - 1, Math.max(0, next))] };
}

const KEYS: ReadonlySet<string> = new Set([
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'PageUp',
  'PageDown',
  'Home',
  'End',
]);

function nearestReadable(line: DrawnLine, points: readonly number[], x: number): number {
  return points.reduce((best, i) => (Math.abs(line.x[i] - x) < Math.abs(line.x[best] - x) ? i : best), points[0]);
}
