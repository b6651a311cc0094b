/** `sweeplab plot`: any chart of the app as a file, without a browser. */
import { extname } from 'node:path';
import { Command, Option } from 'commander';
import { PAPER } from '../../../preload/charts/draw/pictureSize.ts';
import { BANDS } from '../../../preload/shared/statistics/describe.ts';
import type { Band } from '../../../preload/shared/statistics/describe.ts';
import { targetOf } from '../../../preload/shared/results/target.ts';
import { writeExport } from '../../lab/exchange/file.ts';
import { metricsOf, oneOf, settingsOf, xOf } from '../../lab/figures/names.ts';
import type { FigureKind } from '../../lab/figures/index.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatBytes, plural } from '../format.ts';
import { plotSource } from './plotSource.ts';
import { addFilterOptions } from './runs.ts';
import type { FilterOptions } from './find.ts';

interface PlotOptions extends FilterOptions {
  readonly y?: string[];
  readonly x: string;
  readonly group: string;
  readonly color: string;
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
    .option('--y <metrics...>', 'what is drawn (default: the metric that ranks)')
    .option('--x <axis>', 'step, tokens, seconds, relative, any metric, or a setting', 'step')
    .option('--group <by>', 'setting (seeds together), none (single runs), or the name of a setting', 'setting')
    .option('--color <by>', 'group, distance (from the best), or the name of a setting', 'group')
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
    .requiredOption('--out <file>', 'figure.svg, figure.png, figure.pdf, or figure.csv for its numbers');
  return addFilterOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: PlotOptions) => plot(context, names, options));
}

const EXAMPLES = `
Examples:
  sweeplab plot latest --y val/loss --x tokens --group model.depth --band sd --out figure.svg
  sweeplab plot latest --y val/loss --color distance --log-x --size one-column --out figure.pdf
  sweeplab plot results.csv --y loss --out figure.png
Runs with other x are brought together by interpolation, each within its own range.`;

const KINDS: readonly string[] = ['svg', 'png', 'pdf', 'csv'];

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
  if (!KINDS.includes(kind))
    throw new InputError(`--out is ${JSON.stringify(options.out)}; allowed: a file that ends in .${KINDS.join(', .')}`);
  if (options.logY === true && options.linearY === true)
    throw new InputError('--log-y and --linear-y are given; allowed: one of them');
  const millimetres = millimetresOf(options.size);
  const smoothing = numberOf('--smoothing', options.smoothing, (value) =>
    value >= 0 && value < 1 ? undefined : 'from 0 to below 1',
  );
  const any = (): undefined => undefined;
  const [from, to] = [numberOf('--from', options.from, any), numberOf('--to', options.to, any)];
  if (from !== undefined && to !== undefined && from >= to)
    throw new InputError(`--from is ${from} and --to is ${to}; allowed: --from below --to`);
  await using source = await plotSource(context, names, options);
  const { runs, store, sweep } = source;
  if (runs.length === 0) throw new InputError('no run is chosen: there is nothing to draw');
  const [logged, settings] = [metricsOf(store, runs), settingsOf(runs)];
  const metrics = options.y?.map((name) => oneOf('--y', name, logged)) ?? [
    targetOf(sweep?.spec, runs, workshop.metrics).name,
  ];
  const { runPlot } = await import('../../lab/figures/runPlot.ts');
  const { drawPlot, figureFile } = await import('../../lab/figures/index.ts');
  const drawn = runPlot(store, runs, {
    metrics,
    x: xOf(options.x, logged, settings),
    xLog: options.logX,
    yLog: options.logY === true ? true : options.linearY === true ? false : undefined,
    smoothing,
    ...(from === undefined && to === undefined
      ? {}
      : { range: { ...(from === undefined ? {} : { min: from }), ...(to === undefined ? {} : { max: to }) } }),
    everything: options.everything,
    singles: options.runs,
    surface: options.theme,
    catalog: workshop.metrics,
    spec: sweep?.spec,
    sweepName: (id) => store.getSweep(id)?.name,
    state: {
      band: (options.band as string) === 'ci' ? 'ci95' : options.band,
      groupBy: oneOf('--group', options.group, ['setting', 'none', ...settings]),
      colorBy: oneOf('--color', options.color, ['group', 'distance', ...settings]),
      facet: options.facet === undefined ? '' : oneOf('--facet', options.facet, settings),
    },
  });
  const titled = options.title === undefined ? drawn : { ...drawn, title: options.title };
  const piece = kind === 'csv' ? titled.csv() : await figureFile(kind as FigureKind, drawPlot(titled, millimetres));
  const bytes = await writeExport(options.out, [piece], { notes: workshop.paths.exports });
  output.data({ file: options.out, metrics, x: options.x, runs: runs.length, notes: drawn.notes, bytes });
  output.text(`${metrics.join(', ')} of ${plural(runs.length, 'run')}, ${formatBytes(bytes)}, in ${options.out}`);
}
