/** A chart with its words, ready to be drawn at any size: what is shown of it on a page, and what stands in a file. */
import { layoutFigure, panelSize, svgOfFigure } from './figure.ts';
import type { FigureWords } from './figure.ts';
import type { ChartTheme } from './model.ts';
import { svgOfOption } from './svg.ts';

export interface PlotSize {
  readonly width: number;
  readonly height: number;
}

export interface Plot extends FigureWords {
  /** Side by side. */
  readonly panels: readonly { readonly title: string; option(size: PlotSize): object }[];
  readonly theme: ChartTheme;
  /** The numbers that it shows. */
  csv(): string;
  /** A program that draws it again from these. */
  script(): string;
}

/** The shape of a chart that nobody has given one. */
const SHAPE: PlotSize = { width: 900, height: 480 };

/**
 * @param width of the whole, in CSS pixels
 * @param measure width of a text of 12 px
 */
export function svgOfPlot(
  { panels, theme, ...words }: Plot,
  width: number,
  measure: (text: string) => number,
): PlotSize & { readonly svg: string } {
  const size = panelSize(SHAPE, { width, scale: 1 }, panels.length);
  const parts = panels.map(({ title }) => ({ title, width: size.width, height: size.height }));
  const layout = layoutFigure({ ...words, parts, theme, width }, measure);
  const drawn = panels.map(({ option }) => svgOfOption(option(size), size.width, size.height, theme.surface));
  return { svg: svgOfFigure(layout, drawn, theme), width: layout.width, height: layout.height };
}
