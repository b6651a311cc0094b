/** A chart as a file that explains itself: title, the drawn panels side by side, and which colour is which line. */
import { counted } from '../../shared/format.ts';
import { shownText } from '../../shared/plainText.ts';
import type { ChartTheme } from './model.ts';
import { shapedTo } from './pictureSize.ts';
import type { PictureSize } from './pictureSize.ts';

export interface FigurePart {
  /** Above the panel; empty for a chart of one panel. */
  readonly title: string;
  readonly picture: Blob;
  readonly width: number;
  readonly height: number;
}

/** What a figure says beside its panels. */
export interface FigureWords {
  readonly title: string;
  /** `dash` as of a line: its colour is used more than once. */
  readonly legend: readonly { readonly label: string; readonly color: string; readonly dash?: number }[];
  readonly notes: readonly string[];
}

export interface Figure<P extends Omit<FigurePart, 'picture'> = FigurePart> extends FigureWords {
  readonly parts: readonly P[];
  /** Of the whole; what its panels need when absent. */
  readonly width?: number;
  readonly theme: ChartTheme;
}

interface Text {
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly weight: 400 | 600;
  readonly color: string;
}

interface Swatch {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly color: string;
}

export interface FigureLayout {
  readonly width: number;
  readonly height: number;
  readonly places: readonly { readonly x: number; readonly y: number }[];
  readonly swatches: readonly Swatch[];
  readonly texts: readonly Text[];
}

const EDGE = 12;
const ROW = 18;
/** Lines that a legend names; of more it says how many there are. */
const MOST_NAMED = 40;

/** Below it (CSS pixels) a panel has no room beside the labels of its axes. */
const LEAST_PANEL = 200;

/** Panels side by side. */
function columnsOf(panels: number, width = Infinity): number {
  const fitting = Math.max(1, Math.floor((width - 2 * EDGE) / LEAST_PANEL));
  return Math.min(panels, fitting, Math.max(1, Math.ceil(Math.sqrt(panels * 1.6))));
}

/** How large each panel of a picture is drawn. */
export function panelSize(
  chart: { readonly width: number; readonly height: number },
  { width, scale }: PictureSize,
  panels = 1,
): { readonly width: number; readonly height: number; readonly scale: number } {
  if (width === undefined) return { width: chart.width, height: chart.height, scale };
  return { ...shapedTo((width - 2 * EDGE) / columnsOf(panels, width), chart), scale };
}

/** Lines of a text that are no wider than the room, broken between words; a longer word stays whole. */
function wrapped(text: string, room: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && measure(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param measure width of a text of 12 px */
export function layoutFigure(
  { title, parts, legend, notes, theme, width: given }: Figure<Omit<FigurePart, 'picture'>>,
  measure: (text: string) => number,
): FigureLayout {
  const columns = columnsOf(parts.length, given);
  const cell = {
    width: Math.max(...parts.map((part) => part.width)),
    height: Math.max(...parts.map((part) => part.height)),
  };
  const head = parts.some((part) => part.title !== '') ? ROW : 0;
  const width = given ?? columns * cell.width + 2 * EDGE;
  const room = width - 2 * EDGE;
  const texts: Text[] = [];
  const say = (x: number, y: number, text: string, weight: 400 | 600 = 400, size = 12, color = theme.text): void =>
    void texts.push({ x, y, text: shownText(text), size, weight, color });
  // Bold letters are a little wider.
  const heading = wrapped(title, room / ((14 / 12) * 1.06), measure);
  for (const [i, line] of heading.entries()) say(EDGE, EDGE + 12 + i * ROW, line, 600, 14);
  const top = EDGE + 6 + heading.length * ROW;
  const places = parts.map((part, i) => {
    const x = EDGE + (i % columns) * cell.width;
    const y = top + Math.floor(i / columns) * (cell.height + head);
    if (head > 0) say(x + 4, y + 13, part.title, 600);
    return { x, y: y + head };
  });
  let y = top + Math.ceil(parts.length / columns) * (cell.height + head) + 6;
  let x = EDGE;
  const swatches: Swatch[] = [];
  const named = legend.slice(0, MOST_NAMED);
  for (const { label, color, dash = 0 } of named) {
    const [first, ...more] = wrapped(shownText(label), room - 16, measure);
    const wide = 16 + Math.max(...[first, ...more].map(measure)) + 14;
    if (x > EDGE && x + wide - 14 > width - EDGE) {
      x = EDGE;
      y += ROW;
    }
    // Broken like the line.
    if (dash > 0) swatches.push(...[x, x + 6].map((left) => ({ x: left, y: y + 3, width: 4, color })));
    else swatches.push({ x, y: y + 3, width: 10, color });
    say(x + 16, y + 12, first);
    for (const line of more) say(x + 16, (y += ROW) + 12, line);
    x += wide;
  }
  if (named.length > 0) y += ROW;
  if (legend.length > named.length) {
    say(EDGE, y + 12, `and ${counted(legend.length - named.length, 'more line')}`, 400, 12, theme.muted);
    y += ROW;
  }
  for (const note of notes) {
    for (const line of wrapped(note, room * (12 / 11), measure)) {
      say(EDGE, y + 12, line, 400, 11, theme.muted);
      y += ROW;
    }
  }
  return { width, height: y + EDGE - 4, places, swatches, texts };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** One SVG document; the panels keep their own, nested at their places. */
export function svgOfFigure(layout: FigureLayout, panels: readonly string[], theme: ChartTheme): string {
  const { width, height, places, swatches, texts } = layout;
  const font = escaped(theme.font);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="${theme.surface}"/>`,
    ...panels.map((svg, i) =>
      svg.slice(svg.indexOf('<svg')).replace('<svg', `<svg x="${places[i].x}" y="${places[i].y}"`),
    ),
    ...swatches.map(
      ({ x, y, width: wide, color }) => `<rect x="${x}" y="${y}" width="${wide}" height="10" rx="2" fill="${color}"/>`,
    ),
    ...texts.map(
      ({ x, y, text, size, weight, color }) =>
        `<text x="${x}" y="${y}" font-family="${font}" font-size="${size}" font-weight="${weight}" fill="${color}">${escaped(text)}</text>`,
    ),
    '</svg>',
  ].join('\n');
}

/** An SVG with these rules in front of its parts. */
export function withStyle(svg: string, rules: string): string {
  const at = svg.indexOf('>', svg.indexOf('<svg')) + 1;
  return `${svg.slice(0, at)}<style>${rules}</style>${svg.slice(at)}`;
}
