/** A figure for a paper: pictures as wide as its columns, the numbers, and a program that draws it again from them. */
import { fileName } from '../../../preload/shared/fileName.ts';
import { PAPER } from '../../../preload/charts/draw/pictureSize.ts';
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import type { ExportFile } from '../exchange/exchange.ts';
import { figureFile } from './files.ts';
import type { DrawnFigure } from './files.ts';
import { drawPlot } from './index.ts';

export interface FigureBundle {
  /** Of its files, without their endings. */
  readonly name: string;
  readonly pictures: readonly (DrawnFigure & { readonly millimetres: number })[];
  readonly csv: string;
  readonly script: string;
}

export const bundleOf = (plot: Plot, name: string): FigureBundle => ({
  name,
  pictures: PAPER.map(({ millimetres }) => ({ ...drawPlot(plot, millimetres), millimetres })),
  csv: plot.csv(),
  script: plot.script(),
});

export async function bundleFiles({ name, pictures, csv, script }: FigureBundle): Promise<ExportFile[]> {
  const stem = fileName(name);
  const drawn = await Promise.all(
    pictures.flatMap((picture) =>
      (['svg', 'pdf'] as const).map(async (kind) => ({
        path: `${stem}-${picture.millimetres}mm.${kind}`,
        pieces: [await figureFile(kind, picture)],
      })),
    ),
  );
  return [...drawn, { path: `${stem}.csv`, pieces: [csv] }, { path: `${stem}.py`, pieces: [script] }];
}
