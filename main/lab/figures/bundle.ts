/** A figure for a paper: pictures as wide as its columns, the numbers, and a program that draws it again from them. */
import { fileName } from '../../../preload/shared/fileName.ts';
import { PAPER } from '../../../preload/charts/draw/pictureSize.ts';
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import { figureFile } from './files.ts';
import type { DrawnFigure } from './files.ts';
import { drawPlot } from './index.ts';

/** As exports write them. */
interface BundleFile {
  readonly path: string;
  readonly pieces: readonly (string | Uint8Array)[];
}

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

export async function bundleFiles({ name, pictures, csv, script }: FigureBundle): Promise<BundleFile[]> {
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
