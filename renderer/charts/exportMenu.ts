/** What every chart offers to take away: its picture, and the numbers that it shows. */
import type { MenuEntry } from '../components/menu.ts';
import { onPaper, PAPER, withDensity, DPI } from '../../preload/charts/draw/pictureSize.ts';
import type { PictureSize } from '../../preload/charts/draw/pictureSize.ts';
import { withFont } from './draw/svgFont.ts';
import { svgOfPlot } from '../../preload/charts/draw/plot.ts';
import type { Plot } from '../../preload/charts/draw/plot.ts';
import { exportFigure } from '../stores/exportRuns.ts';
import { textMeasure } from './draw/drawFigure.ts';
import { save } from '../stores/save.ts';
import { useToasts } from '../stores/toasts.ts';

export interface ChartExport {
  /** Of the file, without its ending. */
  readonly name: string;
  picture(kind: 'png' | 'svg', size?: PictureSize): Promise<Blob>;
  /** The same as a plot: its numbers, and what a bundle of it is made of. */
  plot(): Plot;
  readonly disabled?: boolean;
}

const TYPES = { png: 'image/png', svg: 'image/svg+xml' } as const;

async function copyPicture({ name, picture }: ChartExport): Promise<void> {
  const toasts = useToasts();
  try {
    // The promise goes in as it is: waiting for it would lose the right that the click gave.
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture('png') })]);
    toasts.show({ level: 'good', message: `The picture of ${name} is in the clipboard` });
  } catch (error) {
    toasts.fail(`The picture of ${name} was not copied`, error);
  }
}

/** As large on paper as it was asked for. */
const dense = async (png: Blob): Promise<Blob> =>
  new Blob([withDensity(new Uint8Array(await png.arrayBuffer()))], { type: png.type });

/** Drawn anew for each width; the lab adds fonts and PDFs. */
function bundled(name: string, plot: Plot) {
  const measure = textMeasure(plot.theme.font);
  const pictures = PAPER.map(({ millimetres }) => ({
    millimetres,
    ...svgOfPlot(plot, onPaper(millimetres).width!, measure),
  }));
  return { name, title: plot.title, pictures, csv: plot.csv(), script: plot.script() };
}

export function exportEntries(chart: ChartExport): MenuEntry[] {
  const { name, disabled } = chart;
  const picture = (kind: 'png' | 'svg') => (): Promise<boolean> =>
    save(`${name}.${kind}`, TYPES[kind], async () => {
      const drawn = await chart.picture(kind);
      return kind === 'svg' ? withFont(drawn) : drawn;
    });
  const printed = PAPER.map(({ label, millimetres }): MenuEntry => ({
    label: `PNG for ${label}`,
    note: `${millimetres} mm wide at ${DPI} dpi`,
    icon: 'download',
    run: () =>
      save(`${name}-${millimetres}mm.png`, TYPES.png, async () =>
        dense(await chart.picture('png', onPaper(millimetres))),
      ),
    disabled,
  }));
  return [
    { label: 'PNG picture', note: 'as on the screen, twice as fine', icon: 'download', run: picture('png'), disabled },
    ...printed,
    { label: 'SVG picture', icon: 'download', run: picture('svg'), disabled },
    {
      label: 'Figure bundle for a paper',
      note: `SVG and PDF, ${PAPER.map(({ millimetres }) => millimetres).join(' and ')} mm wide, with fonts; numbers; a matplotlib script`,
      icon: 'download',
      run: () => exportFigure(name, () => bundled(name, chart.plot())),
      disabled,
    },
    { label: 'Copy the picture', icon: 'copy', run: () => copyPicture(chart), disabled },
    {
      label: 'CSV of what is shown',
      icon: 'download',
      run: () => save(`${name}.csv`, 'text/csv', () => chart.plot().csv()),
      disabled,
    },
  ];
}
