/** `sweeplab plot`: any chart of the app as a file, without a browser. */
import { basename, extname } from 'node:path';
import { Command, Option } from 'commander';
import type { Plot } from '../../../preload/charts/draw/plot.ts';
import { PAPER } from '../../../preload/charts/draw/pictureSize.ts';
import { BANDS } from '../../../preload/shared/statistics/describe.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import { rankSweep, targetOf } from '../../../preload/shared/results/target.ts';
import type { ExportFile, Piece } from '../../lab/exchange/exchange.ts';
import { writeExport, writeExportFolder } from '../../lab/exchange/file.ts';
import { zipped } from '../../lab/exchange/zip.ts';
import { metricsOf, oneOf, settingsOf, xOf } from '../../lab/figures/names.ts';
import type { FigureKind } from '../../lab/figures/index.ts';
import { SWEEP_KINDS } from '../../lab/figures/sweepKinds.ts';
import type { SweepKind } from '../../lab/figures/sweepKinds.ts';
import { tellPlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatBytes, plural } from '../format.ts';
import { plotSource } from './plotSource.ts';
import type { PlotSource } from './plotSource.ts';
import { addFilterOptions } from './runs.ts';
import type { FilterOptions } from './find.ts';

interface PlotOptions extends FilterOptions {
  readonly kind: 'lines' | SweepKind;
  readonly y?: string[];
  readonly x?: string;
  readonly group?: string;
  readonly color?: string;
  readonly facet?: string;
  readonly band: Band;
  /** False: `--no-runs`. */
  readonly runs: boolean;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly linearY?: boolean;
  readonly smoothing?: string;
  readonly from?: string;
  readonly to?: string;
  readonly everything?: boolean;
  readonly title?: string;
  readonly theme: 'light' | 'dark';
  readonly size: string;
  readonly out: string;
}

const SIZES: Readonly<Record<string, number | undefined>> = {
  screen: undefined,
  ...Object.fromEntries(PAPER.map(({ label, millimetres }) => [label.replace(' ', '-'), millimetres])),
};

export function plotCommand(context: Context): Command {
  const command = new Command('plot')
    .description('Draw a chart of a sweep, of runs or of files: mean and band per setting, faint single runs.')
    .argument(
      '[what...]',
      'a sweep (id, name or `latest`), runs (ids or names), or files of any tracker; without it all runs that the filters choose',
    )
    .addOption(
      new Option('--kind <kind>', 'curves, or a chart of the settings of a sweep')
        .choices(['lines', ...SWEEP_KINDS])
        .default('lines'),
    )
    .option('--y <metrics...>', 'what is drawn (default: the metric that ranks)')
    .option(
      '--x <axis>',
      'step (default), tokens, seconds, relative, any metric, places (layers, or positions and ranks of tokens), or a setting; heat: the setting of the columns; pareto: a cost (time, parameters, flops, tokens)',
    )
    .option(
      '--group <by>',
      'setting (default: seeds together), none (single runs), or the name of a setting; trend: of the lines; heat: of the rows',
    )
    .option('--color <by>', 'group (default), distance (from the best), or the name of a setting')
    .option('--facet <setting>', 'small charts with the same axes, one per value')
    .addOption(new Option('--band <kind>', 'of means').choices(['ci', ...BANDS]).default('sd'))
    .option('--no-runs', 'leave out the faint single runs')
    .option('--log-x', 'logarithmic x')
    .option('--log-y', 'logarithmic y (default: as the metric is best seen)')
    .option('--linear-y', 'linear y')
    .option('--smoothing <weight>', 'of the exponential average, 0 to below 1')
    .option('--from <x>', 'begin of the shown part of x')
    .option('--to <x>', 'end of it')
    .option('--everything', 'let the frame hold diverged values too')
    .option('--title <text>', 'other than the name of the metric')
    .addOption(new Option('--theme <theme>', 'of the figure').choices(['light', 'dark']).default('light'))
    .option(
      '--size <size>',
      `screen, ${PAPER.map(({ label, millimetres }) => `${label.replace(' ', '-')} (${millimetres} mm)`).join(', ')}, or millimetres`,
      'screen',
    )
    .requiredOption(
      '--out <path>',
      'figure.svg, .png, .pdf; .csv for its numbers; .zip, or a folder: a bundle for a paper, with fonts, numbers and a matplotlib script',
    );
  return addFilterOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: PlotOptions) => plot(context, names, options));
}

const EXAMPLES = `
Examples:
  sweeplab plot latest --y val/loss --x tokens --group model.depth --band sd --out figure.svg
  sweeplab plot latest --y val/loss --color distance --log-x --size one-column --out figure.pdf
  sweeplab plot latest --kind heat --out heat.png
  sweeplab plot latest --kind pareto --x parameters --out bundle.zip
  sweeplab plot results.csv --y loss --out figure.png
Runs with other x are brought together by interpolation, each within its own range.`;

const KINDS: readonly string[] = ['svg', 'png', 'pdf', 'csv', 'zip'];

/** @throws InputError naming the flag, what it is and what it may be */
function numberOf(flag: string, text: string | undefined, allowed: (value: number) => string | undefined) {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const problem = Number.isFinite(value) ? allowed(value) : 'a number';
  if (problem !== undefined) throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: ${problem}`);
  return value;
}

function millimetresOf(size: string): number | undefined {
  if (Object.hasOwn(SIZES, size)) return SIZES[size];
  return numberOf('--size', size, (mm) =>
    mm >= 30 && mm <= 1000 ? undefined : `${Object.keys(SIZES).join(', ')}, or millimetres from 30 to 1000`,
  );
}

async function plot(context: Context, names: readonly string[], options: PlotOptions): Promise<void> {
  const { output, workshop } = context;
  const kind = extname(options.out).slice(1).toLowerCase();
  if (kind !== '' && !KINDS.includes(kind))
    throw new InputError(
      `--out is ${JSON.stringify(options.out)}; allowed: a folder, or a file that ends in .${KINDS.join(', .')}`,
    );
  if (options.logY === true && options.linearY === true)
    throw new InputError('--log-y and --linear-y are given; allowed: one of them');
  const millimetres = millimetresOf(options.size);
  const ranges = rangesOf(options);
  tellPlugins(context);
  await using source = await plotSource(context, names, options);
  const { runs } = source;
  if (runs.length === 0) throw new InputError('no run is chosen: there is nothing to draw');
  const made = await plotOf(context, source, options, ranges);
  const drawn = options.title === undefined ? made : { ...made, title: options.title };
  const place = { notes: workshop.paths.exports };
  const bytes =
    kind === ''
      ? await writeExportFolder(options.out, await bundled(drawn, options.out), place)
      : await writeExport(options.out, await piecesOf(kind, drawn, options.out, millimetres), place);
  output.data({ file: options.out, title: drawn.title, runs: runs.length, notes: drawn.notes, bytes });
  output.text(`${drawn.title}: ${plural(runs.length, 'run')}, ${formatBytes(bytes)}, in ${options.out}`);
  // What is written under the figure; where nothing of it can be seen, that stands here.
  for (const note of drawn.notes) output.text(`  ${note}`);
}

interface Ranges {
  readonly smoothing: number | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function rangesOf(options: PlotOptions): Ranges {
  const smoothing = numberOf('--smoothing', options.smoothing, (value) =>
    value >= 0 && value < 1 ? undefined : 'from 0 to below 1',
  );
  const any = (): undefined => undefined;
  const [from, to] = [numberOf('--from', options.from, any), numberOf('--to', options.to, any)];
  if (from !== undefined && to !== undefined && from >= to)
    throw new InputError(`--from is ${from} and --to is ${to}; allowed: --from below --to`);
  return { smoothing, from, to };
}

/** Flags that charts of a sweep's settings do not heed. */
const OF_LINES = ['color', 'facet', 'smoothing', 'from', 'to', 'everything'] as const;

async function plotOf(
  context: Context,
  { runs, store, sweep }: PlotSource,
  options: PlotOptions,
  { smoothing, from, to }: Ranges,
): Promise<Plot> {
  const { metrics: catalog } = context.workshop;
  const [logged, settings] = [metricsOf(store, runs), settingsOf(runs)];
  const asked = options.y?.map((name) => oneOf('--y', name, logged));
  const band = (options.band as string) === 'ci' ? 'ci95' : options.band;
  const look = {
    xLog: options.logX,
    yLog: options.logY === true ? true : options.linearY === true ? false : undefined,
    surface: options.theme,
    catalog,
  };
  if (options.kind !== 'lines') {
    const idle = OF_LINES.find((flag) => options[flag] !== undefined);
    if (idle !== undefined) throw new InputError(`--${idle} has no effect with --kind ${options.kind}`);
    if (asked !== undefined && asked.length > 1)
      throw new InputError(`--y names ${plural(asked.length, 'metric')}; allowed with --kind ${options.kind}: one`);
    const { sweepPlot } = await import('../../lab/figures/sweepPlot.ts');
    const byCreation = runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const { groups } = rankSweep(sweep?.spec, byCreation, catalog, {
      ...(asked === undefined ? {} : { wanted: asked[0] }),
      order: context.workshop.registry.names,
    });
    if (groups.length > 1)
      context.output.note(
        `The runs were scored on ${plural(groups.length, 'text')} and cannot be compared across them: the first is drawn.`,
      );
    return sweepPlot(options.kind, groups[0]!, { x: options.x, group: options.group, band, ...look });
  }
  const { runPlot } = await import('../../lab/figures/runPlot.ts');
  return runPlot(store, runs, {
    ...look,
    metrics: asked ?? [targetOf(sweep?.spec, runs, catalog).name],
    x: xOf(options.x ?? 'step', logged, settings),
    smoothing,
    ...(from === undefined && to === undefined
      ? {}
      : { range: { ...(from === undefined ? {} : { min: from }), ...(to === undefined ? {} : { max: to }) } }),
    everything: options.everything,
    singles: options.runs,
    spec: sweep?.spec,
    sweepName: (id) => store.getSweep(id)?.name,
    state: {
      band,
      groupBy: oneOf('--group', options.group ?? 'setting', ['setting', 'none', ...settings]),
      colorBy: oneOf('--color', options.color ?? 'group', ['group', 'distance', ...settings]),
      facet: options.facet === undefined ? '' : oneOf('--facet', options.facet, settings),
    },
  });
}

async function bundled(drawn: Plot, path: string): Promise<readonly ExportFile[]> {
  const { bundleFiles, bundleOf } = await import('../../lab/figures/bundle.ts');
  return await bundleFiles(bundleOf(drawn, basename(path, extname(path))));
}

async function piecesOf(
  kind: string,
  drawn: Plot,
  path: string,
  millimetres: number | undefined,
): Promise<Iterable<Piece> | AsyncIterable<Piece>> {
  if (kind === 'csv') return [drawn.csv()];
  if (kind === 'zip') return zipped(await bundled(drawn, path));
  const { drawPlot, figureFile } = await import('../../lab/figures/index.ts');
  return [await figureFile(kind as FigureKind, drawPlot(drawn, millimetres))];
}
