/** Figures without a browser: the app's charts as files. */
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import { svgOfPlot } from '../../../preload/charts/draw/plot.ts';
import { onPaper } from '../../../preload/charts/draw/pictureSize.ts';
import type { DrawnFigure } from './files.ts';
import { measureText } from './fonts.ts';

export { FIGURE_KINDS, figureFile } from './files.ts';
export type { DrawnFigure, FigureKind } from './files.ts';
export { FigureError } from './errors.ts';

/** As on a screen. */
const SCREEN_WIDTH = 900;

/** @param millimetres on paper; as on a screen when absent */
export function drawPlot(plot: Plot, millimetres?: number): DrawnFigure {
  const width = millimetres === undefined ? SCREEN_WIDTH : onPaper(millimetres).width!;
  return {
    ...svgOfPlot(plot, width, (text) => measureText(text)),
    title: plot.title,
    ...(millimetres === undefined ? {} : { millimetres }),
  };
}
