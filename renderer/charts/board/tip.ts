/** What the box beside the pointer says of a chart, and where it stands. Free of Vue. */
import { formatInUnit, formatValue } from '../../../preload/shared/format.ts';
import { aligned, formatAlone, TICK_UNITS } from '../../../preload/charts/format.ts';
import type { Pointer } from '../draw/lineChart.ts';
import { yOf } from '../../../preload/charts/draw/model.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { readingAt } from '../draw/nearest.ts';

export interface TipRow {
  readonly line: DrawnLine;
  /** Value, and its band where there is one. */
  readonly text: string;
  /** `N 3`, or `N 2 of 3`. */
  readonly n: string;
  /** Set where the line was not measured at the x of the head: where it was. */
  readonly at: string;
}

export interface Tip {
  readonly head: string;
  /** By value, the best first, around the meant line when there are many. */
  readonly rows: readonly TipRow[];
  /** Of how many lines there is a value. */
  readonly of: number;
}

/** More rows than anybody reads. */
const MOST = 10;

export function tipOf(model: LineModel, { x, near }: Pick<Pointer, 'x' | 'near'>): Tip {
  const found = model.lines
    .flatMap((line) => {
      const reading = readingAt(line, x);
      return reading === undefined || !Number.isFinite(reading.value) ? [] : [{ line, ...reading }];
    })
    .sort(
      (a, b) =>
        sideOf(a.line) - sideOf(b.line) || (model.higherBetter === true ? b.value - a.value : a.value - b.value),
    );
  const meant = found.findIndex(({ line }) => line.id === near?.line.id);
  const from = Math.max(0, Math.min(found.length - MOST, (meant < 0 ? 0 : meant) - MOST / 2));
  const shown = found.slice(from, from + MOST);
  const halves = shown.map(({ line, index, value }) => halfOf(line, index, value));
  const texts = new Map([false, true].flatMap((right) => textsOf(model, shown, halves, right)));
  const placed = placeText(model, x);
  const rows = shown.map(({ line, index, x: at }, i): TipRow => {
    const [low, high] = bandOf(line, index);
    const unit = yOf(model, line).unit ?? '';
    const text = texts.get(line)!;
    const uneven = Number.isNaN(halves[i]) && Number.isFinite(low) && Number.isFinite(high);
    const planned = line.planned?.[index] ?? line.runs;
    const n = line.n?.[index];
    const own = placeText(model, at);
    return {
      line,
      text: uneven ? `${text} (${formatInUnit(low, unit)} – ${formatInUnit(high, unit)})` : text,
      n: n === undefined ? '' : planned !== undefined && n < planned ? `N ${n} of ${planned}` : `N ${n}`,
      at: line.reduced || own === placed ? '' : `at ${own}`,
    };
  });
  const { categories, label } = model.x;
  const about = categories === undefined && (near?.line ?? shown[0]?.line)?.reduced ? '≈ ' : '';
  return { head: `${label} ${about}${placed}`, rows, of: found.length };
}

/** Values of the left axis come before those of the right. */
const sideOf = ({ right }: DrawnLine): number => Number(right === true);

/** Values of one axis below each other; of two, each names its unit. */
function textsOf(
  model: LineModel,
  shown: readonly { readonly line: DrawnLine; readonly value: number }[],
  halves: readonly number[],
  right: boolean,
): (readonly [DrawnLine, string])[] {
  const own = shown.flatMap(({ line, value }, i) =>
    (line.right === true) === right ? [{ line, value, half: halves[i] }] : [],
  );
  const { unit = '' } = (right ? model.right : undefined) ?? model.y;
  const behind = model.right === undefined || unit === '' || TICK_UNITS.has(unit) ? '' : ` ${unit}`;
  const [values, spreads] = [own.map(({ value }) => value), own.map(({ half }) => half)];
  return aligned(values, spreads, unit).map((text, i) => [own[i].line, `${text}${behind}`]);
}

/** From the least to the most of a line's band at a point; NaN where it has none. */
const bandOf = ({ n, low, high }: DrawnLine, i: number): readonly [number, number] =>
  n === undefined || low === undefined || high === undefined ? [Number.NaN, Number.NaN] : [low[i], high[i]];

/** Half the height of a band that is as high above as below; NaN without one (the least and the most of a group are named as they are). */
export function halfOf(line: DrawnLine, i: number, value: number): number {
  const [low, high] = bandOf(line, i);
  return Math.abs(high - value - (value - low)) <= 1e-6 * (high - low) ? (high - low) / 2 : Number.NaN;
}

/** An x as it was measured: whole steps whole, a setting as it was given. */
function placeText({ x: { categories, unit = '' } }: LineModel, x: number): string {
  const name = categories?.[Math.round(x) - 1];
  if (name !== undefined) return name;
  if (Number.isInteger(x)) return formatValue(x);
  return unit === 's' ? formatInUnit(x, unit) : formatAlone(x);
}

/** The last and the best of a line's own values: as logged, over all of x, whatever is smoothed or shown. */
export interface LineReading {
  readonly label: string;
  readonly color: string;
  readonly last: string;
  readonly best: string;
  /** Runs behind the last value of a mean, where these are not all; empty else. */
  readonly n: string;
}

/** @param goal which of its values is the best; undefined where neither direction is better */
export function lineReading(line: DrawnLine, goal: 'minimize' | 'maximize' | undefined, unit: string): LineReading {
  const values = line.raw ?? line.y;
  // Behind a reduced point is a least and a most that were logged; a mean of runs has none of its own.
  const extremes = line.n !== undefined ? values : ((goal === 'maximize' ? line.high : line.low) ?? values);
  let [best, last] = [Number.NaN, -1];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    last = i;
    const value = Number.isFinite(extremes[i]) ? extremes[i] : values[i];
    if (!(goal === 'maximize' ? value <= best : value >= best)) best = value;
  }
  const behind = last < 0 ? undefined : line.n?.[last];
  return {
    label: line.label,
    color: line.color,
    last: formatInUnit(last < 0 ? Number.NaN : values[last], unit),
    best: goal === undefined ? '' : formatInUnit(best, unit),
    n: behind === undefined || behind === line.runs ? '' : `N ${behind} of ${line.runs}`,
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Between the pointer and the box, and between the box and the edge of the window. */
const BESIDE = 14;
const EDGE = 8;

/** Beside the pointer where there is room, and always wholly inside of the window. */
export function placeTip(
  at: { readonly x: number; readonly y: number },
  box: Size,
  window: Size,
): { left: number; top: number } {
  const right = at.x + BESIDE;
  const fits = right + box.width <= window.width - EDGE;
  const left = fits ? right : at.x - BESIDE - box.width;
  const within = (value: number, size: number, most: number): number =>
    Math.max(EDGE, Math.min(value, most - EDGE - size));
  return { left: within(left, box.width, window.width), top: within(at.y, box.height, window.height) };
}
