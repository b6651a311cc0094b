/** `sweeplab export`: runs and their metrics in a file of a format that others read. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Command, Option } from 'commander';
import type { ExportOption } from '../../../preload/contract/shapes.ts';
import type { ExchangeKind } from '../../lab/exchange/exchange.ts';
import { exportPieces } from '../../lab/exchange/exports.ts';
import { writeExport } from '../../lab/exchange/file.ts';
import { exchangeFamily } from '../../lab/exchange/index.ts';
import { existingLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatBytes, plural } from '../format.ts';
import { addFilterOptions } from './runs.ts';
import { resolveRuns, runFilter } from './find.ts';
import type { FilterOptions } from './find.ts';

interface ExportOptions extends FilterOptions {
  readonly format?: string;
  readonly out?: string;
  readonly append?: boolean;
  readonly exact?: boolean;
  readonly metric?: string[];
  readonly allSettings?: boolean;
}

/** The flags of options that some formats do not heed. */
const FLAGS: Readonly<Record<ExportOption, { readonly flag: string; readonly key: keyof ExportOptions }>> = {
  metrics: { flag: '--metric', key: 'metric' },
  settings: { flag: '--all-settings', key: 'allSettings' },
  exact: { flag: '--exact', key: 'exact' },
};

export function exportCommand(context: Context): Command {
  const formats = formatsOf(context);
  const command = new Command('export')
    .description('Write runs and their points to a file, or to standard output.')
    .argument('[runs...]', 'ids, beginnings of ids, or names; without them all runs that the filters choose')
    .addOption(
      new Option(
        '--format <format>',
        `how they are written (default: by the ending of --out, else ${formats[0]!.name})`,
      ).choices(formats.map(({ name }) => name)),
    )
    .option('--out <file>', 'file to write; default: standard output')
    .option('--append', 'add to the file; its columns must be the same')
    .option('--exact', 'leave text that a spreadsheet would take for a formula as it is')
    .option('--metric <names...>', 'only these metrics')
    .option('--all-settings', 'every setting, not only those that differ from the defaults');
  return addFilterOptions(command)
    .addHelpText('after', () => `\nFormats:\n${formats.map(formatLine).join('\n')}`)
    .action((names: string[], options: ExportOptions) => exportRuns(context, names, options));
}

const formatsOf = ({ workshop }: Context): readonly ExchangeKind[] => workshop.registry.catalog.all(exchangeFamily);

function formatLine({ name, label, help, extensions, options = [], appends = false }: ExchangeKind): string {
  const heeds = [...options.map((option) => FLAGS[option].flag), ...(appends ? ['--append'] : [])];
  const takes = heeds.length > 0 ? `; with ${heeds.join(', ')}` : '';
  return `  ${name}  ${label} (.${extensions.join(', .')}${takes})\n      ${help}`;
}

/** The format asked for, else one that the file's name speaks of, else the first. */
function formatOf(formats: readonly ExchangeKind[], { format, out }: ExportOptions): ExchangeKind {
  const ending = extname(out ?? '')
    .slice(1)
    .toLowerCase();
  return (
    formats.find(({ name }) => name === format) ??
    formats.find(({ extensions }) => extensions.includes(ending)) ??
    formats[0]!
  );
}

/** @throws InputError for an option that would have no effect */
function checkOptions(format: ExchangeKind, formats: readonly ExchangeKind[], options: ExportOptions): void {
  const refuse = (flag: string, heeds: (each: ExchangeKind) => boolean | undefined): never => {
    const names = formats.filter(heeds).map(({ name }) => name);
    const allowed = names.length > 0 ? `only with --format ${names.join(' or ')}` : 'not with any format';
    throw new InputError(`${flag} has no effect with --format ${format.name}; allowed: ${allowed}`);
  };
  for (const option of Object.keys(FLAGS) as ExportOption[]) {
    const { flag, key } = FLAGS[option];
    if (options[key] !== undefined && !(format.options ?? []).includes(option))
      refuse(flag, (each) => each.options?.includes(option));
  }
  if (options.append === true && format.appends !== true) refuse('--append', ({ appends }) => appends);
}

async function exportRuns(context: Context, names: readonly string[], options: ExportOptions): Promise<void> {
  const { output, workshop } = context;
  if (options.append === true && options.out === undefined)
    throw new InputError('--append needs a file: --out runs.csv');
  if (output.json && options.out === undefined)
    throw new InputError('--json needs a file for the export: --out runs.csv');
  const formats = formatsOf(context);
  const format = formatOf(formats, options);
  checkOptions(format, formats, options);
  using lab = await existingLab(context);
  const filter = runFilter(lab.store, context.workshop, options);
  const runs = names.length > 0 ? resolveRuns(lab.store, names) : lab.store.listRuns(filter);
  const { metric: metrics, exact, allSettings } = options;
  const pieces = exportPieces(lab.store, workshop.registry, format, { runs, metrics, exact, allSettings });
  if (options.out === undefined) {
    for (const piece of pieces) if (!output.raw(piece)) await once(process.stdout, 'drain');
    return;
  }
  const bytes = await writeExport(options.out, pieces, { append: options.append, notes: workshop.paths.exports });
  output.data({ file: options.out, format: format.name, runs: runs.length, bytes });
  output.text(`${plural(runs.length, 'run')}, ${formatBytes(bytes)}, in ${options.out}`);
}
